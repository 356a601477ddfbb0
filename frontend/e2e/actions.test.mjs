// What an operator does to a stack that runs, in a real browser.
//
//   BASE_URL    where its dashboard is, for example http://localhost:3000
//   LOGIN_LINK  a link of `zr dashboard`, not yet used

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  accessibilityViolations,
  complaintsOf,
  launch,
  logIn,
  newContext,
  open,
  takenOver,
} from "./support/browser.mjs";

const { BASE_URL, LOGIN_LINK } = process.env;

/** Longer than a pod takes to start on a busy machine. */
const TIMEOUT = 180_000;

describe("actions on a running stack", { skip: !BASE_URL && "BASE_URL is not set" }, () => {
  let browser;
  let page;
  /** Who has logged in. */
  let name;
  before(async () => {
    browser = await launch();
    page = await (await newContext(browser)).newPage();
    page.setDefaultTimeout(TIMEOUT);
  });
  after(() => browser?.close());

  /**
   * Waits until a change has ended: as it should, or because a busy machine took
   * longer than the api waits, which the page says; what follows is then looked at.
   */
  const ended = (text) =>
    page
      .locator("[data-testid=notice][data-outcome=done]", { hasText: text })
      .or(page.locator("[data-testid=notice]", { hasText: "it has not taken effect yet" }))
      .waitFor();

  /** Waits until the row of a service says what was done last, and by whom. */
  const changedLast = (service, what, who) =>
    page
      .locator(`[data-testid=service-${service}] [data-testid=last-change]`)
      .filter({ hasText: new RegExp(`^${what} .*${who}$`) })
      .waitFor();

  test("who is not logged in is told how to", async () => {
    await open(page, new URL("/services/frontend", BASE_URL).href);
    await takenOver(page);
    await page.getByRole("button", { name: "Restart" }).click();
    const why = page.locator("[data-testid=why-not]");
    assert.match(await why.textContent(), /zr dashboard/);
    assert.deepEqual(await accessibilityViolations(page), []);
  });

  test("a login link makes the browser an operator's", async () => {
    await logIn(page.context(), LOGIN_LINK, TIMEOUT);
    const answer = await page.context().request.get(new URL("/api/v1/session", BASE_URL).href);
    name = (await answer.json()).name;
    assert.ok(name);
  });

  test("the palette and the help sheet open on each screen, and lead to the next one", async () => {
    const complaints = complaintsOf(page, BASE_URL);
    await open(page, BASE_URL);
    await takenOver(page);
    for (const name of [
      "Logs",
      "Health",
      "Reloads",
      "Configuration",
      "Setup",
      "History",
      "Activity",
      "Services",
    ]) {
      await page.keyboard.press("?");
      await page.waitForSelector("[data-testid=help]");
      await page.keyboard.press("Escape");
      await page.waitForSelector("[data-testid=help]", { state: "detached" });
      await page.keyboard.press("Control+k");
      await page.waitForSelector("[data-testid=palette]");
      assert.deepEqual(await accessibilityViolations(page), [], `the palette before ${name}`);
      await page.keyboard.type(name);
      await page.keyboard.press("Enter");
      await page.locator("nav [aria-current=page]", { hasText: name }).waitFor();
      await page.waitForSelector("[data-testid=palette]", { state: "detached" });
    }
    assert.deepEqual(complaints, []);
  });

  test("the page of a service shows its containers, what they use, and what they answered", async () => {
    await open(page, new URL("/services/postgres", BASE_URL).href);
    await takenOver(page);
    await page.waitForSelector("[data-testid=usage] [data-testid=answer]");
    await page.waitForSelector("[data-testid=container-postgres]");
    await page.locator("[data-testid=container-postgres] ~ details summary").press("Enter");
    await page
      .locator("[data-testid=variables] li", { hasText: "a secret, not shown" })
      .first()
      .waitFor();
    assert.deepEqual(await accessibilityViolations(page), []);
  });

  test("a service is scaled to two pods and back, and its page shows them", async () => {
    await open(page, new URL("/services/frontend", BASE_URL).href);
    await takenOver(page);
    for (const [pods, text] of [
      ["2", "frontend is running: 2 of 2 pods ready"],
      ["1", "frontend is running: 1 of 1 pod ready"],
    ]) {
      await page.getByRole("button", { name: "Scale" }).click();
      await page.getByRole("spinbutton", { name: "Pods" }).fill(pods);
      assert.deepEqual(await accessibilityViolations(page), []);
      await page.getByRole("spinbutton", { name: "Pods" }).press("Enter");
      await ended(text);
      await page.getByText(`${pods} of ${pods}`, { exact: true }).waitFor();
      await page.getByRole("button", { name: "Dismiss" }).click();
    }
    await open(page, BASE_URL);
    await changedLast("frontend", "scaled", `by ${name}`);
  });

  test("each service says what it uses, and what changed it last", async () => {
    await open(page, BASE_URL);
    for (const service of ["api", "frontend", "postgres", "redis"]) {
      await page
        .locator(`[data-testid=service-${service}] [data-testid=use]`)
        .filter({ hasText: /^\d+\.\d{2,3} cores\d+\.\d [MG]iB$/ })
        .waitFor();
      await changedLast(service, "[a-z]+", "(by|with|in) .+");
    }
    assert.equal(await page.locator("[data-testid=overview-note]").count(), 0);
    assert.deepEqual(await accessibilityViolations(page), []);
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`lines of the api that are stored and that come, in a ${colorScheme} page without faults`, async () => {
      await page.emulateMedia({ colorScheme });
      const complaints = complaintsOf(page, BASE_URL);
      await open(page, new URL("/logs?service=api&field=path%3D/api/v1/history", BASE_URL).href);
      const feed = page.locator("[data-testid=feed][data-status=live]");
      await page
        .locator("[data-testid=line]", { hasText: "path=/api/v1/history" })
        .first()
        .waitFor();
      const shown = async () => Number.parseInt((await feed.textContent()).replace(/\D/g, ""), 10);
      const before = await shown();
      await fetch(new URL("/api/v1/history?limit=1", BASE_URL));
      await page.waitForFunction(
        (n) => {
          const text = document.querySelector("[data-testid=feed]").textContent;
          return Number.parseInt(text.replace(/\D/g, ""), 10) > n;
        },
        before,
        { timeout: TIMEOUT },
      );
      await page.locator("[data-testid=line] button").last().click();
      await page.getByRole("button", { name: "What is around it" }).click();
      await page.waitForSelector("[data-testid=around] li");
      assert.deepEqual(await accessibilityViolations(page), []);
      assert.deepEqual(complaints, []);
    });
  }

  test("an export has what the filters find", async () => {
    const path = "/api/v1/logs/export?service=api&field=path%3D/api/v1/history&format=ndjson";
    const answer = await page.context().request.get(new URL(path, BASE_URL).href);
    assert.equal(answer.status(), 200);
    const [first] = (await answer.text()).split("\n");
    assert.equal(JSON.parse(first).fields.path, "/api/v1/history");
  });

  test("the api is restarted by keyboard, and the change is in the audit log", async () => {
    await open(page, BASE_URL);
    await takenOver(page);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("restart api");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-testid=action-dialog][data-action=restart]");
    await page.keyboard.press("Enter");
    await ended("api is restarted: 1 of 1 pod ready");
    await changedLast("api", "restarted", `by ${name}`);
    await open(page, new URL("/activity", BASE_URL).href);
    await page
      .locator("[data-testid=records] li", { hasText: "restart service" })
      .first()
      .waitFor();
  });
});
