// What an operator does to the configuration of a stack that runs, in a real browser.
//
//   BASE_URL    where its dashboard is, for example http://localhost:3000
//   LOGIN_LINK  a link of `zr dashboard`, not yet used

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import {
  accessibilityViolations,
  launch,
  logIn,
  newContext,
  open,
  takenOver,
} from "./support/browser.mjs";

const { BASE_URL, LOGIN_LINK } = process.env;

/** Longer than a pod takes to start on a busy machine. */
const TIMEOUT = 180_000;

describe("the configuration of a running stack", {
  skip: !BASE_URL && "BASE_URL is not set",
}, () => {
  let browser;
  let page;
  let other;
  before(async () => {
    browser = await launch();
    const context = await newContext(browser);
    page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT);
    await logIn(context, LOGIN_LINK, TIMEOUT);
    // Another tab of the same person: drafts are of a tab.
    other = await context.newPage();
    other.setDefaultTimeout(TIMEOUT);
  });
  after(() => browser?.close());

  const visit = async (query = "", tab = page) => {
    await open(tab, new URL(`/configuration${query}`, BASE_URL).href);
    await takenOver(tab);
  };
  const value = (key, tab = page) => tab.getByLabel(`Value of ${key}`);
  const reason = (tab = page) => tab.getByLabel(/^Why, for those/);
  const press = (name, tab = page) => tab.getByRole("button", { name, exact: true }).click();
  const effects = (text, tab = page) =>
    tab.locator("[data-testid=effects]", { hasText: text }).waitFor();

  /** Nothing that a check finds, light or dark. */
  async function hasNoFaults() {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(page), [], colorScheme);
    }
  }

  /**
   * Waits until a change has ended: as it should, or because the api that was asked was
   * itself replaced and a busy machine took longer than one waits, which the page says.
   * That the cluster has it is then asked of the api which runs.
   */
  async function isInEffect(tab, revisionReason) {
    await tab
      .locator("[data-testid=saved]", { hasText: "is in effect" })
      .or(
        tab.locator("[data-testid=refusal]", {
          hasText: /not taken effect|cannot be reached|in time/,
        }),
      )
      .first()
      .waitFor();
    await visit("", tab);
    await tab.locator("[data-testid=source]", { hasText: revisionReason }).waitFor();
  }

  test("a setting is previewed, saved and rolled, and settled in the tab that writes it too", async () => {
    await visit();
    await value("LOG_LEVEL").fill("error");
    await reason().fill("only what is wrong");
    await effects("Rolls api.");
    await hasNoFaults();
    await visit("", other);
    await value("LOG_LEVEL", other).fill("warning");
    await effects("Rolls api.", other);
    await reason(other).fill("less to read");
    await press("Save", other);
    await isInEffect(other, "less to read");
    assert.equal(await value("LOG_LEVEL", other).inputValue(), "warning");
    await page.getByTestId("way-LOG_LEVEL").getByLabel(/Yours/).check();
    await hasNoFaults();
    await press("Go on with these");
    await page.getByTestId("conflict").waitFor({ state: "detached" });
    assert.equal(await value("LOG_LEVEL").inputValue(), "error");
    assert.equal(await reason().inputValue(), "only what is wrong");
    await effects("will beerror");
    await press("Discard");
    assert.equal(await value("LOG_LEVEL").inputValue(), "warning");
  });

  test("what is wrong with a text is told by the api, at its line and column", async () => {
    await visit("?view=text");
    await page.getByRole("textbox", { name: "Settings as YAML" }).click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("SIZE: [1]\n");
    await page.waitForSelector(".cm-lint-marker-error");
    await page.getByText("settings.SIZE: expected text").first().waitFor();
    await hasNoFaults();
    await page.getByRole("button", { name: "Line 1, column 7" }).click();
    await page.keyboard.press("Shift+End");
    await page.keyboard.type("10");
    await effects("SIZE");
    await hasNoFaults();
    await press("Discard");
  });

  test("settings that are not those of the file say what differs, and both ways to settle it", async () => {
    await visit();
    const drift = page.getByTestId("drift");
    await drift.locator("[data-testid=changes]", { hasText: "clusterwarning" }).waitFor();
    assert.match(await drift.textContent(), /config\/dev\.yaml.*zr config pull.*zr up --overwrite/);
    await hasNoFaults();
  });

  test("a revision is compared, and the one of the file is gone back to", async () => {
    await visit("?tab=revisions");
    const revisions = page.locator("[data-testid=revisions] a");
    await revisions.filter({ hasText: "As config/dev.yaml had it" }).first().click();
    await page.locator("[data-testid=changes]", { hasText: "in effectwarning" }).waitFor();
    const newest = await revisions.first().locator("span").first().textContent();
    await page.getByLabel("from").selectOption(newest);
    await page.waitForURL(`**/configuration?tab=revisions&revision=*&against=${newest}`);
    await page.locator("[data-testid=changes]", { hasText: `revision ${newest}warning` }).waitFor();
    await hasNoFaults();
    await press("Go back to it");
    await effects("Rolls api.");
    await reason().fill("the file is right");
    await hasNoFaults();
    await press("Go back");
    await isInEffect(page, "the file is right");
    await page.getByTestId("drift").waitFor({ state: "detached" });
  });

  test("secrets are shown by name, one that made a volume is asked about, and one is set", async () => {
    await visit("?tab=secrets");
    await page
      .locator("[data-testid=secret-secrets] li", { hasText: "POSTGRES_PASSWORDread by postgres" })
      .waitFor();
    await hasNoFaults();
    await press("Set POSTGRES_PASSWORD");
    await page.getByLabel("New value").fill("planted-value");
    await page.keyboard.press("Enter");
    await page.getByTestId("volumes").waitFor();
    await hasNoFaults();
    await press("Cancel");
    await press("Add a secret");
    await page.getByLabel("Name").fill("NOBODY_READS_IT");
    await page.getByLabel("New value").fill("planted-value");
    await page.keyboard.press("Enter");
    await page.getByText("NOBODY_READS_IT is set.").waitFor();
    await page.locator("[data-testid=secret-secrets]", { hasText: "NOBODY_READS_IT" }).waitFor();
    await hasNoFaults();
    assert.doesNotMatch(await page.content(), /planted-value/);
  });

  test("the activity says who has changed what, and what was refused", async () => {
    await open(page, new URL("/activity", BASE_URL).href);
    for (const [text, outcome] of [
      ["change settings", "done"],
      ["restore settings", "done"],
      ["set secret", "done"],
      ["set secret", "refused"],
    ]) {
      await page
        .locator(`[data-testid=records] [data-outcome=${outcome}]`, { hasText: text })
        .first()
        .waitFor();
    }
    assert.doesNotMatch(await page.content(), /planted-value/);
  });

  test("the activity is filtered by what a record says, and exported", async () => {
    await open(page, new URL("/activity", BASE_URL).href);
    await takenOver(page);
    const records = page.locator("[data-testid=records] li");
    await records.getByRole("link", { name: "change settings", exact: true }).first().click();
    await page.waitForURL("**/activity?action=changeSettings");
    await page.getByRole("combobox", { name: "Outcome" }).selectOption("done");
    await page.waitForURL("**/activity?action=changeSettings&outcome=done");
    await page.locator("[data-testid=records]:not(:has-text('restore'))").waitFor();
    await hasNoFaults();
    const shown = await records.count();
    const download = page.waitForEvent("download");
    await press("Export");
    const lines = (await readFile(await (await download).path(), "utf8")).trimEnd().split("\n");
    const actions = lines.map((line) => JSON.parse(line).action);
    assert.deepEqual(actions, Array(shown).fill("changeSettings"));
  });
});
