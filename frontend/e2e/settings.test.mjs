// Everything that the configuration can show, in a real browser, over an api
// that gets into each state on request.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  accessibilityViolations,
  clippedParts,
  launch,
  newContext,
  open,
  takenOver,
} from "./support/browser.mjs";
import { changeMeanwhile, someConfiguration } from "./support/configuration.mjs";
import { startNext } from "./support/next-server.mjs";
import { attachedRun } from "./support/run-events.mjs";
import {
  problem as apiProblem,
  healthyStack,
  SESSION,
  startUpstream,
} from "./support/upstream.mjs";

/** Longer than the page takes to notice anything: its timeouts, its polls and a busy machine. */
const TIMEOUT = 60_000;

describe("the configuration", () => {
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
    Object.assign(said, { services: healthyStack(), configuration: someConfiguration() });
    const context = await newContext(browser);
    t.after(() => context.close());
    await context.addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT);
  });

  const shown = (id) => page.waitForSelector(`[data-testid=${id}]`);
  const gone = (id) => page.waitForSelector(`[data-testid=${id}]`, { state: "detached" });
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const value = (key) => page.getByLabel(`Value of ${key}`);
  const reason = () => page.getByLabel(/^Why, for those/);

  async function visit(query = "") {
    await open(page, `${dashboard.url}/configuration${query}`);
    await takenOver(page);
  }

  async function hasNoFaults() {
    const before = page.viewportSize();
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(page), [], colorScheme);
    }
    for (const width of [360, 320]) {
      await page.setViewportSize({ width, height: 640 });
      assert.deepEqual(await clippedParts(page), [], `${width} pixels`);
    }
    await page.setViewportSize(before);
  }

  test("a setting is changed by keyboard, previewed, and saved with a reason", async () => {
    const asked = new Promise((resolve) => {
      said.onConfigure = (change, how) => resolve({ change, how });
    });
    await open(page, dashboard.url);
    await takenOver(page);
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await page.waitForURL("**/configuration");
    await value("LOG_LEVEL").waitFor();
    await hasNoFaults();
    await value("LOG_LEVEL").focus();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("error");
    const effects = page.locator("[data-testid=effects]", { hasText: "Rolls api and frontend." });
    await effects.waitFor();
    assert.match(await effects.textContent(), /isdebug.*will beerror.*dry run/);
    await reason().focus();
    await page.keyboard.type("less to read");
    await hasNoFaults();
    await page.keyboard.press("Enter");
    await page.getByText("Saving: this ends when the pods are ready.").waitFor();
    await hasNoFaults();
    const { change, how } = await asked;
    assert.equal(change.settings.LOG_LEVEL, "error");
    assert.equal(change.reason, "less to read");
    how.finish();
    await page.getByText("Revision 13 is in effect.").waitFor();
    await page.getByText("revision 13 by ana: less to read").waitFor();
    await hasNoFaults();
  });

  test("what is wrong is told at its row as one writes, and what is right is saved after it", async () => {
    await visit();
    await press("Add a setting");
    await page.keyboard.type("no key");
    await page.keyboard.press("Tab");
    await page.keyboard.type("1");
    await page.locator("[data-testid='setting-no key']", { hasText: "cannot be a key" }).waitFor();
    await shown("refusal");
    await hasNoFaults();
    assert.equal(await page.getByRole("button", { name: "Save" }).isDisabled(), true);
    await page.getByLabel("Name of the new setting").fill("KEY");
    await value("KEY").fill("1");
    await gone("refusal");
    await press("Remove GREETING");
    await page.locator("[data-testid=changes] li", { hasText: "GREETING" }).waitFor();
    await hasNoFaults();
  });

  test("the text marks what differs and what is wrong, completes keys, and is the form again", async () => {
    await visit("?view=text");
    const editor = page.getByRole("textbox", { name: "Settings as YAML" });
    await editor.waitFor();
    await hasNoFaults();
    await editor.click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Delete");
    await page.waitForSelector(".cm-deletedChunk");
    await page.keyboard.type("GR");
    await page.locator(".cm-tooltip-autocomplete", { hasText: "no pod reads it" }).waitFor();
    assert.deepEqual(await accessibilityViolations(page), []);
    await page.keyboard.press("Tab");
    await page.keyboard.type("[1]\n");
    await page.waitForSelector(".cm-lint-marker-error");
    await hasNoFaults();
    await page.keyboard.press("Control+End");
    await page.getByRole("button", { name: "Line 1, column 11" }).click();
    await page.keyboard.press("Shift+End");
    await page.keyboard.type("Good night");
    await shown("effects");
    await page.getByRole("link", { name: "Form" }).click();
    await page.waitForURL("**/configuration");
    assert.equal(await value("GREETING").inputValue(), "Good night");
    await page.goBack();
    await page.getByText("GREETING: Good night").waitFor();
  });

  test("a text that cannot be read yet is not lost in the form, nor over a reload", async () => {
    await visit("?view=text");
    await page.getByRole("textbox", { name: "Settings as YAML" }).click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("half a line");
    await shown("refusal");
    await page.getByRole("link", { name: "Form" }).click();
    await shown("only-text");
    await hasNoFaults();
    await page.reload();
    await shown("only-text");
    await page.getByRole("link", { name: "Text" }).click();
    await page.getByText("half a line").waitFor();
  });

  test("settings that somebody else changes meanwhile are settled, one by one", async () => {
    await visit();
    await value("LOG_LEVEL").fill("warning");
    await reason().fill("mine");
    changeMeanwhile(said.configuration, { LOG_LEVEL: "error", PAGE_SIZE: "20" });
    await shown("conflict");
    await hasNoFaults();
    assert.equal(await page.getByRole("button", { name: "Save" }).isDisabled(), true);
    await page.getByTestId("way-LOG_LEVEL").getByLabel(/Yours/).check();
    await press("Go on with these");
    await gone("conflict");
    assert.equal(await value("LOG_LEVEL").inputValue(), "warning");
    assert.equal(await value("PAGE_SIZE").inputValue(), "20");
    await shown("effects");
    await press("Save");
    await page.getByText("Revision 14 is in effect.").waitFor();
    assert.equal(said.configuration.settings.PAGE_SIZE, "20");
  });

  test("a change that another one overtakes shows both, and what was written stays", async () => {
    said.onConfigure = (_, { refuse }) => {
      changeMeanwhile(said.configuration, { LOG_LEVEL: "error" });
      refuse(412, "changed_meanwhile", "the settings were changed meanwhile");
    };
    await visit();
    await value("LOG_LEVEL").fill("warning");
    await reason().fill("mine");
    await shown("effects");
    await press("Save");
    await shown("conflict");
    await page.locator("[data-testid=refusal][data-code=changed_meanwhile]").waitFor();
    await hasNoFaults();
    assert.equal(await value("LOG_LEVEL").inputValue(), "warning");
    await press("Discard mine");
    assert.equal(await value("LOG_LEVEL").inputValue(), "error");
  });

  test("settings that are not those of the file: what differs, and both ways to settle it", async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await visit();
    const drift = page.getByTestId("drift");
    await drift.locator("[data-testid=changes]").waitFor();
    assert.match(await drift.textContent(), /fileinfo.*clusterdebug/);
    await hasNoFaults();
    await drift.getByText("Copy", { exact: true }).first().click();
    await drift.getByText("Copied").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "zr config pull");
    await press("Put it back now");
    await page.locator("[data-testid=restore-dialog] [data-testid=effects]").waitFor();
    await hasNoFaults();
    await reason().fill("the file is right");
    await press("Go back");
    await page.getByText("Revision 13 is in effect.").waitFor();
    await gone("drift");
    said.attached = [attachedRun({ actions: ["configure"] })];
    changeMeanwhile(said.configuration, { LOG_LEVEL: "error" });
    await page.getByText("the attached zr dev applies that at once").waitFor();
    assert.equal(await page.getByRole("button", { name: "Put it back now" }).count(), 0);
  });

  test("revisions are an address: one, what differs from another, back and forward, and the way back", async () => {
    await visit("?tab=revisions");
    await page.getByTestId("revisions").waitFor();
    await hasNoFaults();
    await page.getByRole("link", { name: /^11/ }).click();
    await page.waitForURL("**/configuration?tab=revisions&revision=11");
    await page.getByTestId("revision-text").waitFor();
    await hasNoFaults();
    await page.getByLabel("from").selectOption("12");
    await page.waitForURL("**/configuration?tab=revisions&revision=11&against=12");
    await page.locator("[data-testid=changes]", { hasText: "revision 12debug" }).waitFor();
    await page.goBack();
    await page.waitForURL("**/configuration?tab=revisions&revision=11");
    await page.locator("[data-testid=changes]", { hasText: "in effectdebug" }).waitFor();
    await press("Go back to it");
    await page.locator("[data-testid=restore-dialog] [data-testid=effects]").waitFor();
    await reason().fill("it was better");
    await page.keyboard.press("Enter");
    await page.getByText("Revision 13 is in effect.").waitFor();
    await page.getByText("Back to revision 11: it was better").waitFor();
    await hasNoFaults();
    await visit("?tab=revisions&revision=99");
    await page.locator("[data-testid=unread][data-code=not_found]").waitFor();
    await hasNoFaults();
  });

  test("a secret is set, and is nowhere afterwards", async () => {
    const seen = [];
    said.onSecret = (key, text, query, answer) => {
      seen.push([key, text, query.get("confirm")]);
      return query.get("confirm")
        ? answer(200, { rolls: ["Deployment/api"], later: [] })
        : answer(409, {
            ...apiProblem("confirm_required", "a volume"),
            dependents: ["StatefulSet/postgres"],
          });
    };
    await visit("?tab=secrets");
    await page.getByTestId("secret-secrets").waitFor();
    await hasNoFaults();
    await press("Set POSTGRES_PASSWORD");
    await page.getByLabel("New value").fill("planted-value");
    await hasNoFaults();
    await page.keyboard.press("Enter");
    await page.getByTestId("volumes").waitFor();
    await hasNoFaults();
    await press("Set it all the same");
    await page.getByText("POSTGRES_PASSWORD is set.").waitFor();
    await hasNoFaults();
    assert.deepEqual(seen, [
      ["POSTGRES_PASSWORD", "planted-value", null],
      ["POSTGRES_PASSWORD", "planted-value", "true"],
    ]);
    const kept = await page.evaluate(() =>
      [
        document.documentElement.outerHTML,
        location.href,
        JSON.stringify(sessionStorage),
        JSON.stringify(localStorage),
        JSON.stringify(history.state),
      ].join(),
    );
    assert.doesNotMatch(kept, /planted-value/);
  });

  test("a viewer reads everything and changes nothing, and who is logged out is told how to log in", async () => {
    said.role = "viewer";
    for (const query of ["", "?view=text", "?tab=revisions&revision=11", "?tab=secrets"]) {
      await visit(query);
      await shown("why-not");
      await hasNoFaults();
    }
    assert.equal(await page.getByRole("button", { name: "Set API_TOKEN" }).isDisabled(), true);
    await page.context().clearCookies();
    await visit();
    await page.locator("[data-testid=problem][data-code=not_logged_in]").waitFor();
    await hasNoFaults();
    await page.context().addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    said.role = "operator";
    await value("LOG_LEVEL").fill("error");
    await shown("effects");
  });

  test("a session that ends while one writes takes nothing along", async () => {
    await visit();
    await value("LOG_LEVEL").fill("error");
    await reason().fill("mine");
    await shown("effects");
    await page.context().clearCookies();
    await page.locator("[data-testid=problem][data-code=not_logged_in]").waitFor();
    await hasNoFaults();
    await page.context().addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    await gone("problem");
    assert.equal(await value("LOG_LEVEL").inputValue(), "error");
    await press("Save");
    await page.getByText("Revision 13 is in effect.").waitFor();
  });

  test("a database that is away takes the revisions away, and saves nothing", async () => {
    said.configuration.databaseError = "the database does not answer";
    await visit();
    await value("LOG_LEVEL").fill("error");
    await reason().fill("mine");
    await shown("effects");
    await press("Save");
    await page.locator("[data-testid=refusal][data-code=api_error]").waitFor();
    await hasNoFaults();
    await page.getByRole("link", { name: "Revisions" }).click();
    await page.locator("[data-testid=unread][data-code=api_error]").waitFor();
    await hasNoFaults();
    said.configuration.databaseError = undefined;
    await page.getByTestId("revisions").waitFor();
    await page.getByRole("link", { name: "Settings" }).click();
    assert.equal(await value("LOG_LEVEL").inputValue(), "error");
    await shown("effects");
    await press("Save");
    await page.getByText("Revision 13 is in effect.").waitFor();
  });

  test("an api that is away leaves what is written, and its return goes on", async () => {
    await visit();
    await value("LOG_LEVEL").fill("error");
    await reason().fill("mine");
    await upstream.stop();
    try {
      await page.locator("[data-testid=problem][data-code=api_unreachable]").waitFor();
      await hasNoFaults();
    } finally {
      await upstream.start();
    }
    await gone("problem");
    await value("LOG_LEVEL").fill("warning");
    await page.locator("[data-testid=effects]", { hasText: "will bewarning" }).waitFor();
    await press("Save");
    await page.getByText("Revision 13 is in effect.").waitFor();
  });

  test("an environment without settings, revisions and secrets says how to have some", async () => {
    Object.assign(said.configuration, { settings: undefined, secrets: [] });
    await visit();
    await page.locator("[data-testid=problem][data-code=not_found]").waitFor();
    await hasNoFaults();
    await page.getByRole("link", { name: "Secrets" }).click();
    await shown("no-secrets");
    await hasNoFaults();
    Object.assign(said.configuration, { settings: {}, revisions: [] });
    await page.getByRole("link", { name: "Revisions" }).click();
    await shown("no-revisions");
    await hasNoFaults();
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByText("There are no settings yet.").waitFor();
    await hasNoFaults();
  });
});
