// The logs in a real browser, over an api that writes what a test tells it to.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  accessibilityViolations,
  clippedParts,
  complaintsOf,
  launch,
  newContext,
  open,
  takenOver,
} from "./support/browser.mjs";
import { Million } from "./support/million.mjs";
import { startNext } from "./support/next-server.mjs";
import { healthyStack, SESSION, startUpstream } from "./support/upstream.mjs";

/** Longer than the page takes to notice anything on a busy machine. */
const TIMEOUT = 60_000;

/** Lines as the api gives them, a second apart, the last one now. */
function lines(n, rest = () => ({}), first = 1) {
  return Array.from({ length: n }, (_, i) => ({
    id: String(first + i),
    time: new Date(Date.now() - (n - i) * 1_000).toISOString(),
    service: ["api", "redis"][i % 2],
    level: ["info", "warning", "error", undefined][i % 4],
    message: `line ${first + i}`,
    ...rest(i),
  }));
}

describe("the logs", () => {
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
    await context.addCookies([{ name: "zr_session", value: SESSION, url: dashboard.url }]);
    page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT);
  });

  async function show(path = "/logs") {
    await open(page, dashboard.url + path);
    await takenOver(page);
  }

  const line = (text) => page.locator("[data-testid=line]", { hasText: text });
  const feed = (status) => page.waitForSelector(`[data-testid=feed][data-status=${status}]`);

  async function hasNoFaults() {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(page), [], colorScheme);
    }
  }

  test("stored lines, then those that come; held still they are counted", async () => {
    said.lines = lines(300);
    said.counts = [{ at: new Date().toISOString(), level: "error", lines: 7 }];
    await show();
    await line("line 300").waitFor();
    await feed("live");
    upstream.write(lines(1, () => ({ message: "just written" }), 301));
    await line("just written").waitFor();
    await hasNoFaults();
    await page.locator("[data-testid=lines]").focus();
    await page.keyboard.press("PageUp");
    await page.locator("[data-testid=hold]", { hasText: "Follow" }).waitFor();
    upstream.write(lines(40, () => ({}), 302));
    const held = page.getByRole("button", { name: "40 new lines" });
    await held.waitFor();
    await hasNoFaults();
    await held.click();
    await line("line 341").waitFor();
  });

  test("what a line holds does nothing: markup, escapes, changes of direction, much of it", async () => {
    const fields = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, `v${i}`]));
    said.lines = [
      ...lines(1, () => ({
        message: '<script>globalThis.ran=1</script><img src=x onerror="ran=1">',
      })),
      ...lines(1, () => ({ message: "\u001b]8;;http://evil.example\u0007click\u202eexe.txt" }), 2),
      ...lines(1, () => ({ message: `big ${"x ".repeat(500_000)}` }), 3),
      ...lines(1, () => ({ message: "many fields", fields }), 4),
      ...lines(1, () => ({ message: "in red", styles: [{ at: 3, code: "31" }] }), 5),
    ];
    const complaints = complaintsOf(page, dashboard.url);
    await show();
    await line("<script>globalThis.ran=1</script>").waitFor();
    await line("␛]8;;http://evil.example␇click⟨U+202E⟩exe.txt").waitFor();
    await line("more characters").locator("button").first().click();
    await page.getByRole("button", { name: "What is around it" }).waitFor();
    await line("more characters").waitFor({ state: "detached" });
    await line("many fields").locator("button").first().click();
    await page.getByRole("button", { name: "9,900 more fields" }).waitFor();
    await line("in red").locator("bdi .text-tone-red").waitFor();
    assert.equal(await page.evaluate(() => globalThis.ran), undefined);
    assert.deepEqual(complaints, []);
    await hasNoFaults();
  });

  test("lines have the height that they take", async () => {
    said.lines = lines(200, (i) => ({ message: `line ${i}\n`.repeat(1 + (i % 5)) }));
    await show();
    await feed("live");
    const overlaps = await page.evaluate(() => {
      const rows = [...document.querySelectorAll("[data-testid=lines] li")]
        .map((row) => row.getBoundingClientRect())
        .sort((a, b) => a.top - b.top);
      return rows.filter((row, i) => i > 0 && Math.abs(row.top - rows[i - 1].bottom) > 1).length;
    });
    assert.equal(overlaps, 0);
  });

  test("of a million lines each can be scrolled to, without a gap, and back to the newest", async () => {
    const million = new Million(1_000_000);
    said.search = (query) => million.search(query);
    await show();
    await feed("live");
    upstream.write(million.write(100));
    await line(`request ${million.count} was answered`).waitFor();
    const numbers = () =>
      page
        .locator("[data-testid=line]")
        .evaluateAll((rows) => rows.map((row) => Number(/request (\d+)/.exec(row.textContent)[1])));
    await page.locator("[data-testid=lines]").hover();
    // Farther back than what is kept: the newest are let go of.
    for (let first = million.count; first > million.count - 25_000; [first] = await numbers()) {
      await page.mouse.wheel(0, -40_000);
      const seen = (await numbers()).toSorted((a, b) => a - b);
      assert.ok(seen.length > 10, `${seen.length} lines are there`);
      assert.equal(seen.at(-1) - seen[0], seen.length - 1, "lines are missing between");
    }
    await page.getByTestId("hold").click();
    await line(`request ${million.count} was answered`).waitFor();
    await feed("live");
  });

  test("the address is the whole state: filters, a field, back and forward", async () => {
    said.lines = lines(4, () => ({ fields: { requestId: "of-ana" } }));
    await show("/logs?level=error");
    await line("line 4").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("saved");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/logs?level=error&text=saved");
    await line("line 4").locator("button").first().click();
    await page.getByRole("button", { name: "of-ana" }).click();
    await page.waitForURL("**/logs?level=error&text=saved&field=requestId%3Dof-ana");
    await page.goBack();
    await page.waitForURL("**/logs?level=error&text=saved");
    await page.getByLabel("Wrap").click(); // uncheck() looks at the box before the address has changed it
    await page.waitForURL("**/logs?level=error&text=saved&wrap=off");
    await page.reload();
    await line("line 4").waitFor();
    assert.equal(await page.getByLabel("Text of the line").inputValue(), "saved");
    assert.equal(await page.getByLabel("Wrap").isChecked(), false);
  });

  test("the fields of a time are in the zone of the browser; passing them changes nothing", async () => {
    said.lines = lines(2);
    // With colons, as somebody may write it: what the page itself writes has %3A.
    const address = "/logs?from=2026-01-02T20:00:00.000Z&to=2026-01-02T20:30:15.250Z";
    await show(address);
    await page.locator("summary", { hasText: "Part of the time" }).click();
    const from = page.getByLabel("From", { exact: true });
    const to = page.getByLabel("To, without following", { exact: true });
    await page.getByText("from 3 Jan 2026, 01:45:00").waitFor();
    // Kathmandu is 5 h 45 min ahead.
    assert.equal(await from.inputValue(), "2026-01-03T01:45");
    assert.equal(await to.inputValue(), "2026-01-03T02:15:15");
    await from.focus();
    await to.focus();
    await page.getByLabel("Text of the line").focus();
    assert.ok(page.url().endsWith(address), page.url());
    await from.fill("2026-01-03T02:00:30");
    await to.focus();
    await page.waitForURL((url) => url.searchParams.get("from") === "2026-01-02T20:15:30.000Z");
    await page.locator("select", { hasText: "Local time" }).selectOption("UTC");
    await page.getByText("from 2026-01-02 20:15:30 UTC").waitFor();
    await page.getByLabel("From, in UTC").fill("2026-01-02T21:00:01");
    await page.getByLabel("To, without following, in UTC").focus();
    await page.waitForURL((url) => url.searchParams.get("from") === "2026-01-02T21:00:01.000Z");
  });

  test("a connection that breaks is told, and goes on", async () => {
    said.lines = lines(2);
    await show();
    await feed("live");
    upstream.interrupt();
    await feed("away");
    await feed("live");
    upstream.write(lines(1, () => ({ message: "afterwards" }), 3));
    await line("afterwards").waitFor();
  });

  test("lines that are missing are marked, and nothing at all is said to be so", async () => {
    said.lines = lines(2, (i) => (i === 0 ? { skipped: 1_200 } : {}));
    await show();
    await page.locator("[data-testid=skipped]", { hasText: "skipped 1,200 lines" }).waitFor();
    await hasNoFaults();
    said.lines = [];
    await show("/logs?text=nothing");
    await page.waitForSelector("[data-testid=no-lines]");
    await hasNoFaults();
    await page.setViewportSize({ width: 320, height: 640 });
    assert.deepEqual(await clippedParts(page), []);
  });

  test("who is not logged in is told how to, and nothing is asked for him", async () => {
    await page.context().clearCookies();
    await show();
    await page.waitForSelector("[data-testid=problem][data-code=not_logged_in]");
    await hasNoFaults();
  });
});
