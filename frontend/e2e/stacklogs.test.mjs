// The logs of a stack that runs, in a real browser.
//
//   BASE_URL  where its dashboard is, for example http://localhost:3000
//   KUBECTL   kubectl on its cluster
//   ZR        zr on its project

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
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
import { kubectl, zr } from "./support/commands.mjs";

const { BASE_URL, KUBECTL } = process.env;

/** Longer than a line takes to be stored on a busy machine. */
const TIMEOUT = 180_000;

/** Marks the lines of this run: a stack keeps those of the runs before. */
const RUN = `run-${Date.now().toString(36)}`;

/** Runs in a container: writes lines to the stdout of its first process, and ends. */
const writer = (lines) =>
  `require("node:fs").appendFileSync("/proc/1/fd/1", ${JSON.stringify(`${lines.join("\n")}\n`)})`;

describe("the logs of a running stack", { skip: !KUBECTL && "KUBECTL is not set" }, () => {
  let browser;
  let page;
  let complaints;
  before(async () => {
    browser = await launch();
    const context = await newContext(browser, {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT);
    complaints = complaintsOf(page, BASE_URL);
    await logIn(context, await zr("dashboard"), TIMEOUT);
  });
  after(() => browser?.close());

  const write = (...lines) =>
    kubectl("exec", "-n", "zr-dev", "deployment/frontend", "--", "node", "-e", writer(lines));
  const line = (text) => page.locator("[data-testid=line]", { hasText: text });

  /** What is in the clipboard once that has a text in it. */
  async function copied(text) {
    const handle = await page.waitForFunction(async (wanted) => {
      const all = await navigator.clipboard.readText();
      return all.includes(wanted) && all;
    }, text);
    return handle.jsonValue();
  }

  const press = (name) => page.getByRole("button", { name, exact: true }).click();

  async function visit(query = "") {
    await open(page, new URL(`/logs${query}`, BASE_URL).href);
    await takenOver(page);
  }

  /** Nothing that a check finds, light or dark, and no word in the console since it was asked last. */
  async function hasNoFaults() {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(page), [], colorScheme);
    }
    assert.deepEqual(complaints.splice(0), []);
  }

  test("what a pod writes is shown as it is, and does nothing: markup, escapes, colours, changes of direction", async () => {
    await visit("?service=frontend");
    await page.waitForSelector("[data-testid=feed][data-status=live]");
    await write(
      `<script>globalThis.ran=1</script><img src=x onerror="ran=1"> ${RUN}`,
      `\u001b]8;;http://evil.example\u0007click\u202eexe.txt ${RUN}`,
      `${RUN} in \u001b[31mred\u001b[0m`,
    );
    await line(`<script>globalThis.ran=1</script><img src=x onerror="ran=1"> ${RUN}`).waitFor();
    await line(`exe.txt ${RUN}`).waitFor();
    await line(`${RUN} in red`).locator("bdi .text-tone-red").waitFor();
    assert.equal(await page.evaluate(() => globalThis.ran), undefined);
    await hasNoFaults();
  });

  test("lines that come while it is held still are counted, and shown then", async () => {
    await visit("?service=frontend");
    await page.waitForSelector("[data-testid=feed][data-status=live]");
    await press("Pause");
    await write(`${RUN} held 1`, `${RUN} held 2`);
    const held = page.getByTestId("held");
    await held.waitFor();
    assert.equal(await line(`${RUN} held 2`).count(), 0);
    await held.click();
    await line(`${RUN} held 2`).first().waitFor();
    await page.waitForSelector("[data-testid=feed][data-status=live]");
  });

  test("lines are narrowed by text, regular expression, level and a field that is clicked; back undoes it", async () => {
    await visit("?service=frontend");
    await write(`{"level":"error","msg":"${RUN} failure 7","order":"o-17"}`, `${RUN} failure x`);
    await page.getByLabel("Text of the line").fill(`${RUN} failure [0-9]`);
    await page.getByRole("checkbox", { name: "Regular expression" }).check();
    await page.getByLabel("Text of the line").press("Enter");
    await page.waitForURL(/regexp=run-/);
    await line(`${RUN} failure x`).first().waitFor({ state: "detached" });
    await line(`${RUN} failure 7`).first().waitFor();
    await page.getByRole("combobox", { name: "Level" }).selectOption("error");
    await page.waitForURL(/level=error/);
    await line(`${RUN} failure 7`).first().locator("button").first().click();
    await press("o-17");
    await page.waitForURL(/field=order%3Do-17/);
    const others = page.locator("[data-testid=line]", { hasNotText: `${RUN} failure 7` });
    await others.first().waitFor({ state: "detached" });
    await line(`${RUN} failure 7`).first().waitFor();
    await hasNoFaults();
    await page.goBack();
    await page.waitForURL((url) => !url.searchParams.has("field"));
    await page.goBack();
    await page.waitForURL((url) => !url.searchParams.has("level"));
  });

  test("a bar of the histogram is zoomed into, a time is jumped to, and following goes on", async () => {
    await visit();
    const bars = page.locator("[data-testid=histogram] button");
    await bars
      .filter({ has: page.locator("span") })
      .first()
      .waitFor();
    await bars
      .filter({ has: page.locator("span") })
      .last()
      .press("Enter");
    await page.waitForURL(/from=.*&to=/);
    const { searchParams } = new URL(page.url());
    const [from, to] = [searchParams.get("from"), searchParams.get("to")];
    await page.waitForSelector("[data-testid=feed][data-status=past]");
    await line("").first().waitFor();
    const times = await page
      .locator("[data-testid=line] button[title]")
      .evaluateAll((buttons) => buttons.map(({ title }) => Date.parse(title)));
    assert.ok(
      times.length > 0 && times.every((at) => at >= Date.parse(from) && at <= Date.parse(to)),
      `${times} are not all from ${from} to ${to}`,
    );
    await hasNoFaults();
    await page.locator("summary", { hasText: "Part of the time" }).press("Enter");
    await press("Last 2 min");
    await page.waitForURL((url) => !url.searchParams.has("to"));
    await page.waitForSelector("[data-testid=feed][data-status=live]");
  });

  test("a line has what is around it, is copied as text and as JSON, and its link leads to it", async () => {
    await write(`${RUN} before`, `${RUN} line`, `${RUN} after`);
    await visit(`?service=frontend&text=${RUN}+line`);
    await line(`${RUN} line`).last().locator("button").first().click();
    await press("What is around it");
    const around = page.getByTestId("around");
    for (const text of [`${RUN} before`, `${RUN} line`, `${RUN} after`]) {
      await around.locator("li", { hasText: text }).first().waitFor();
    }
    await hasNoFaults();
    await press("Copy the line");
    assert.match(await copied(`${RUN} line`), /^\S+ \S*\s*frontend/);
    await press("Copy it as JSON");
    assert.equal(JSON.parse(await copied('"message"')).message, `${RUN} line`);
    await press("Copy a link to it");
    await open(page, await copied("/logs?"));
    await takenOver(page);
    await page
      .locator("[data-testid=line][data-linked=true]", { hasText: `${RUN} line` })
      .waitFor();
  });

  test("all that is seen is copied, and a file has all that the filters find", async () => {
    await visit(`?service=frontend&text=${RUN}+line`);
    await line(`${RUN} line`).first().waitFor();
    await press("Copy");
    const shown = await line(`${RUN} line`).count();
    assert.equal((await copied(`${RUN} line`)).trimEnd().split("\n").length, shown);
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Export JSON" }).click();
    const file = await readFile(await (await download).path(), "utf8");
    const messages = file
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text).message);
    assert.deepEqual(messages, Array(shown).fill(`${RUN} line`));
  });
});
