// The screen of what zr does, in a real browser, over an api that gets into each
// state on request.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  complaintsOf,
  faultsOf,
  launch,
  newContext,
  open,
  showsState,
  takenOver,
} from "./support/browser.mjs";
import { startNext } from "./support/next-server.mjs";
import {
  attachedRun,
  broughtUp,
  delivery,
  refusedSave,
  runEvent,
  save,
  takenBack,
} from "./support/run-events.mjs";
import {
  problem as apiProblem,
  healthyStack,
  SESSION,
  startUpstream,
} from "./support/upstream.mjs";

/** Longer than the page takes to notice anything: its timeouts, its polls and a busy machine. */
const TIMEOUT = 60_000;

describe("the reloads", () => {
  const said = {};
  let upstream;
  let dashboard;
  let browser;
  let page;

  before(async () => {
    upstream = await startUpstream(said);
    dashboard = await startNext({ env: { API_URL: upstream.url } });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await dashboard?.stop();
    await upstream?.stop();
  });
  beforeEach(async (t) => {
    for (const key of Object.keys(said)) {
      delete said[key];
    }
    said.services = healthyStack();
    const context = await newContext(browser);
    t.after(() => context.close());
    page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT);
  });

  const logIn = () =>
    page.context().addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
  const feed = (status) => page.waitForSelector(`[data-testid=feed][data-status=${status}]`);
  const problem = (code) => page.waitForSelector(`[data-testid=problem][data-code=${code}]`);
  const hasNoFaults = async () => assert.deepEqual(await faultsOf(page), []);
  /** How the saves that are listed ended, the newest first. */
  const saves = () =>
    page
      .locator("[data-testid=save]")
      .evaluateAll((items) => items.map((item) => item.dataset.outcome));

  test("a save is shown as it is built, and then with each of its steps", async () => {
    await logIn();
    said.attached = [attachedRun()];
    said.delivery = delivery();
    said.runEvents = broughtUp().toReversed();
    const complaints = complaintsOf(page, dashboard.url);
    await open(page, `${dashboard.url}/reloads`);
    await feed("live");
    await page.waitForSelector("[data-testid=no-saves]");
    await hasNoFaults();
    const now = [{ what: "api", state: "building", since: new Date().toISOString() }];
    upstream.tellRuns({ attached: [attachedRun({ now })] });
    await page.waitForSelector("[data-testid=going][data-service=api]");
    await hasNoFaults();
    upstream.tellRuns({ attached: [attachedRun()], events: [save()] });
    await page.waitForSelector("[data-testid=save][data-outcome=live]");
    await page.waitForSelector("[data-testid=going]", { state: "detached" });
    const steps = page.locator("[data-testid=save] [data-step]");
    assert.deepEqual(await steps.allTextContents(), [
      "noticed 10 ms",
      "built 300 ms",
      "sent 20 ms",
      "swapped 30 ms",
      "healthy 40 ms",
    ]);
    await page.getByRole("button", { name: "Steps of this zr up" }).press("Enter");
    assert.equal(await page.locator("[data-testid=waterfall] [data-step]").count(), 4);
    await hasNoFaults();
    assert.deepEqual(complaints, []);
  });

  test("what a compiler said opens in the editor that is chosen, and stands until it is mended", async () => {
    await logIn();
    said.attached = [attachedRun()];
    await open(page, `${dashboard.url}/reloads`);
    await feed("live");
    const refused = refusedSave();
    const { places, data } = refused;
    const told = { source: "api", text: data.error };
    upstream.tellRuns({ events: [runEvent("problem", told, { service: "api", places }), refused] });
    await page.waitForSelector("[data-testid=problems]");
    const link = page.locator("[data-testid=save] [data-testid=places] a").first();
    assert.equal(await link.textContent(), "cmd/api/main.go:12:3");
    assert.equal(
      await link.getAttribute("href"),
      "vscode://file/home/ana/shop/cmd/api/main.go:12:3",
    );
    await hasNoFaults();
    await page.getByLabel("Files open in").selectOption("Another editor…");
    await page.waitForSelector("[data-testid=editor-pattern]");
    await page.keyboard.type("no address");
    await hasNoFaults();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("emacs://open?file={path}&line={line}");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-testid=editor-pattern]", { state: "detached" });
    const own = "emacs://open?file=/home/ana/shop/cmd/api/main.go&line=12";
    assert.equal(await link.getAttribute("href"), own);
    upstream.tellRuns({ events: [runEvent("problem", { source: "api", cleared: true }), save()] });
    await page.waitForSelector("[data-testid=problems]", { state: "detached" });
    assert.deepEqual(await saves(), ["live", "failed"]);
    await page.reload();
    await page.waitForSelector(`[data-testid=save] a[href="${own}"]`);
  });

  test("a version that was taken back is an address, with its last lines and its logs", async () => {
    await logIn();
    said.runEvents = [save(), takenBack()].toReversed();
    await open(page, `${dashboard.url}/reloads`);
    await takenOver(page);
    await page.getByRole("button", { name: "Details of the save of api" }).first().press("Enter");
    const details = page.locator("[data-testid=save-details]");
    assert.match(await details.textContent(), /panic: out of words/);
    await hasNoFaults();
    await page.reload();
    await details.waitFor();
    await page.goBack();
    await details.waitFor({ state: "detached" });
    await page.goForward();
    await page.getByRole("link", { name: "What api wrote at that time" }).click();
    await page.waitForURL(/\/logs\?service=api&from=.*&to=/);
  });

  test("filters and the window are an address, by keyboard", async () => {
    await logIn();
    said.runEvents = [save(), refusedSave(), save({ service: "web" }), takenBack()].toReversed();
    await open(page, dashboard.url);
    await takenOver(page);
    await page.keyboard.press("g");
    await page.keyboard.press("r");
    await page.waitForURL("**/reloads");
    await page.waitForSelector("[data-testid=save]");
    assert.deepEqual(await saves(), ["rolledBack", "live", "failed", "live"]);
    await page.getByRole("combobox", { name: "Saves" }).selectOption("Failed");
    await page.waitForURL("**/reloads?failed=true");
    await page.locator("[data-outcome=live]").first().waitFor({ state: "detached" });
    assert.deepEqual(await saves(), ["rolledBack", "failed"]);
    await page.getByRole("link", { name: "1 h" }).press("Enter");
    await page.waitForURL("**/reloads?failed=true&window=1h");
    await page.goBack();
    await page.goBack();
    await page.waitForURL("**/reloads");
    await page.getByRole("combobox", { name: "Service" }).selectOption("web");
    await page.waitForURL("**/reloads?service=web");
    await page.locator("[data-service=api]").first().waitFor({ state: "detached" });
    assert.deepEqual(await saves(), ["live"]);
  });

  test("an attached zr dev rebuilds a service, and says what the compiler said", async () => {
    await logIn();
    said.attached = [attachedRun()];
    said.services = healthyStack().map((each) => ({ ...each, dev: each.name === "api" }));
    await open(page, dashboard.url);
    await takenOver(page);
    const line = page.locator("[data-testid=dev-line]");
    await line.getByText("waits for a save").waitFor();
    await page.getByRole("button", { name: "Actions of api" }).click();
    await page.getByRole("button", { name: "Rebuild" }).press("Enter");
    const asked = new Promise((resolve) => {
      said.onAction = (name, action, answer) => resolve({ name, action, answer });
    });
    await page.waitForSelector("[data-testid=action-dialog][data-action=rebuild]");
    await hasNoFaults();
    await page.getByRole("button", { name: "Rebuild" }).press("Enter");
    const { name, action, answer } = await asked;
    assert.deepEqual([name, action], ["dev", "rebuild"]);
    const now = [{ what: "api", state: "building", since: new Date().toISOString() }];
    upstream.tellRuns({ attached: [attachedRun({ now })] });
    await line.getByText("builds api").waitFor();
    await hasNoFaults();
    answer(502, apiProblem("dev_failed", "cmd/api/main.go:12:3: undefined: slog.Now"));
    await page.getByText("undefined: slog.Now").waitFor();
    await hasNoFaults();
    said.onAction = (_, __, reply) => reply(200, save().data);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "Rebuild" }).press("Enter");
    await page.getByText("api is rebuilt, and healthy after 400 ms").waitFor();
  });

  test("where nobody is attached the command is shown, and a viewer may ask for nothing", async () => {
    await logIn();
    await open(page, `${dashboard.url}/reloads`);
    await page.waitForSelector("[data-testid=nobody-attached]");
    await hasNoFaults();
    said.role = "viewer";
    said.attached = [attachedRun()];
    await open(page, `${dashboard.url}/reloads`);
    await takenOver(page);
    await page.getByRole("button", { name: "Apply" }).click();
    await page.waitForSelector("[data-testid=why-not]");
    const apply = page
      .locator("[data-testid=action-dialog]")
      .getByRole("button", { name: "Apply" });
    assert.equal(await apply.isDisabled(), true);
    await hasNoFaults();
  });

  test("who is not logged in is told how to", async () => {
    await open(page, `${dashboard.url}/reloads`);
    await problem("not_logged_in");
    await feed("refused");
    await hasNoFaults();
    await logIn();
    await page.waitForSelector("[data-testid=nobody-attached]");
  });

  test("a connection that breaks, a database and an api that are away are told, and come back", async () => {
    await logIn();
    said.attached = [attachedRun()];
    said.runEvents = [save()];
    await open(page, `${dashboard.url}/reloads`);
    await feed("live");
    upstream.interrupt();
    said.historyError = "the database does not answer";
    await feed("away");
    await problem("api_error");
    await page.getByText("ana on laptop").waitFor();
    assert.deepEqual(await saves(), ["live"]);
    await hasNoFaults();
    said.historyError = undefined;
    said.runEvents = [takenBack(), ...said.runEvents];
    await feed("live");
    await page.waitForSelector("[data-testid=problem]", { state: "detached" });
    await page.waitForSelector("[data-testid=save][data-outcome=rolledBack]");
    await upstream.stop();
    try {
      await problem("api_unreachable");
      await hasNoFaults();
    } finally {
      await upstream.start();
    }
    await feed("live");
    await page.waitForSelector("[data-testid=problem]", { state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await showsState(page, "redis", "healthy");
  });
});
