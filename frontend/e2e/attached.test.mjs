// A project that somebody works on under `zr dev`, in a real browser: its reloads, its
// machine, and what makes a service of a folder.
//
//   BASE_URL    where the dashboard of its environment is
//   LOGIN_LINK  a link of `zr dashboard`, not yet used
//   PROJECT     the folder of the project, a copy of examples/hello

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

const { BASE_URL, LOGIN_LINK, PROJECT } = process.env;

/** Longer than a save takes to be live on a busy machine. */
const TIMEOUT = 180_000;

describe("an attached zr dev", { skip: !PROJECT && "PROJECT is not set" }, () => {
  let browser;
  let page;
  before(async () => {
    browser = await launch();
    const context = await newContext(browser);
    await logIn(context, LOGIN_LINK, TIMEOUT);
    page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT);
  });
  after(() => browser?.close());

  /** Saves a file of the project with one text for another, and returns what it was. */
  function edit(file, from, to) {
    const path = join(PROJECT, file);
    const text = readFileSync(path, "utf8");
    assert.ok(text.includes(from), `${file} does not say ${from}`);
    writeFileSync(path, text.replace(from, to));
    return () => writeFileSync(path, text);
  }
  const greeter = (outcome) =>
    page.locator(`[data-testid=save][data-service=greeter][data-outcome=${outcome}]`);

  test("a save is a waterfall with all of its steps, without a reload of the page", async () => {
    const complaints = complaintsOf(page, BASE_URL);
    await open(page, new URL("/reloads", BASE_URL).href);
    await page.waitForSelector("[data-testid=feed][data-status=live]");
    await page.locator("[data-testid=attached]", { hasText: PROJECT }).waitFor();
    await page.locator("[data-testid=now]", { hasText: "waits for a save" }).waitFor();
    edit("greeter/words/words.go", '\\n"', ' How do you do?\\n"');
    const saved = greeter("live").filter({ hasText: "greeter/words/words.go" });
    await saved.waitFor();
    const steps = await saved
      .locator("[data-step]")
      .evaluateAll((parts) => parts.map((part) => part.dataset.step));
    assert.deepEqual(steps, ["noticed", "built", "sent", "swapped", "healthy"]);
    await page.locator("[data-testid=run][data-ending=ready]").first().waitFor();
    await page.waitForSelector("[data-testid=metrics]");
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(page), [], colorScheme);
    }
    assert.deepEqual(complaints, []);
  });

  test("what does not compile is there with its line, which opens in the editor, until it is mended", async () => {
    const mend = edit("greeter/main.go", "slog.New(", "slog.Now(");
    await greeter("failed").first().waitFor();
    const place = greeter("failed").first().locator("[data-testid=places] a").first();
    assert.match(await place.textContent(), /^greeter\/main\.go:\d+:\d+$/);
    assert.ok(
      (await place.getAttribute("href")).startsWith(`vscode://file${PROJECT}/greeter/main.go:`),
    );
    await page.locator("[data-testid=problems]", { hasText: "undefined: slog.Now" }).waitFor();
    mend();
    await page.waitForSelector("[data-testid=problems]", { state: "detached" });
  });

  test("a version that crashes is taken back, and says its last lines", async () => {
    const mend = edit(
      "greeter/main.go",
      'log.Info("listening"',
      'panic("out of words")\n\tlog.Info("listening"',
    );
    await greeter("rolledBack").first().waitFor();
    await greeter("rolledBack").first().getByRole("button", { name: "Details" }).press("Enter");
    await page.locator("[data-testid=save-details]", { hasText: "out of words" }).waitFor();
    mend();
    await page.waitForSelector("[data-testid=problems]", { state: "detached" });
  });

  test("it rebuilds a service when it is asked to", async () => {
    await takenOver(page);
    await page.getByLabel("Service to rebuild or restart").selectOption("greeter");
    await page.getByRole("button", { name: "Rebuild" }).press("Enter");
    await page.waitForSelector("[data-testid=action-dialog][data-action=rebuild]");
    await page
      .locator("[data-testid=action-dialog]")
      .getByRole("button", { name: "Rebuild" })
      .press("Enter");
    await page.getByText(/greeter is rebuilt, and healthy after/).waitFor();
  });

  test("the checklist is that of its machine, and a folder gets the lines that make a service of it", async () => {
    await open(page, new URL("/setup?folder=worker", BASE_URL).href);
    await takenOver(page);
    await page.locator("[data-testid=checklist] li", { hasText: "container engine" }).waitFor();
    await page.locator("[data-testid=checklist] li", { hasText: "network policies" }).waitFor();
    await page.getByRole("button", { name: "Show the lines" }).press("Enter");
    await page.locator("[data-testid=proposal]", { hasText: "containerPort: 9000" }).waitFor();
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(page), [], colorScheme);
    }
  });
});
