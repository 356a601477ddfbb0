// A snapshot of a stack that runs: what is in its file, and that it shows the stack again,
// in a real browser.
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

/** Marks the line of this run: a stack keeps those of the runs before. */
const RUN = `run-${Date.now().toString(36)}`;

describe("a snapshot of a running stack", { skip: !KUBECTL && "KUBECTL is not set" }, () => {
  let browser;
  let page;
  let complaints;
  before(async () => {
    browser = await launch();
    const context = await newContext(browser);
    page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT);
    complaints = complaintsOf(page, BASE_URL);
    await logIn(context, await zr("dashboard"), TIMEOUT);
  });
  after(() => browser?.close());

  async function visit(path) {
    await open(page, new URL(path, BASE_URL).href);
    await takenOver(page);
  }

  async function hasNoFaults() {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(page), [], `${page.url()}: ${colorScheme}`);
    }
  }

  /** The values of the cluster's Secrets, those aside that are plain words, such as a name of a user. */
  async function secretValues() {
    const { items } = JSON.parse(await kubectl("get", "secrets", "-n", "zr-dev", "-o", "json"));
    const values = items.flatMap(({ data }) =>
      Object.values(data ?? {}).map((value) => Buffer.from(value, "base64").toString()),
    );
    const secret = values.filter((value) => value.length >= 16);
    assert.ok(secret.length >= 3, `${secret.length} of ${values.length} values`);
    return secret;
  }

  /** Has the frontend write a line with each of them, and waits until it is in the logs. */
  async function plant(values) {
    const text = `${[...values, RUN].join(" ")}\n`;
    const program = `require("node:fs").appendFileSync("/proc/1/fd/1", ${JSON.stringify(text)})`;
    await kubectl("exec", "-n", "zr-dev", "deployment/frontend", "--", "node", "-e", program);
    await visit(`/logs?service=frontend&text=${RUN}`);
    await page.locator("[data-testid=line]", { hasText: RUN }).waitFor();
  }

  async function saved(...chosen) {
    await visit("/snapshot");
    for (const choice of chosen) {
      await page.getByRole("checkbox", { name: choice }).check();
    }
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save a snapshot" }).click(),
    ]);
    await page.waitForSelector("[data-testid=saved]");
    return download.path();
  }

  test("a snapshot has no value of a Secret of the cluster, and shows the services again", async () => {
    const secret = await secretValues();
    await plant(secret);
    const whole = await saved(/^Values of variables/, /^The newest 2,000 log lines/);
    const text = await readFile(whole, "utf8");
    assert.match(text, new RegExp(RUN), "the line in which they were planted");
    const shown = secret.filter((value) => text.includes(value)).length;
    assert.equal(shown, 0, `${shown} of ${secret.length} values`);
    assert.deepEqual(JSON.parse(text).missing, []);

    const usual = await saved();
    const without = await readFile(usual, "utf8");
    assert.doesNotMatch(without, new RegExp(RUN));
    assert.ok(secret.every((value) => !without.includes(value)));

    await page.getByLabel("Choose a file, or drop it here").setInputFiles(whole);
    await page.locator("[data-testid=snapshot]", { hasText: "Snapshot of zr-dev" }).waitFor();
    for (const service of ["api", "frontend", "postgres", "redis"]) {
      await page.waitForSelector(`[data-testid=service-${service}][data-state=healthy]`);
    }
    await hasNoFaults();
    const screens = page.getByRole("navigation", { name: "Screens of the snapshot" });
    for (const [name, part] of [
      ["Health", "[data-testid=uptime-redis]"],
      ["History", "[data-testid=history]"],
      ["Configuration", "[data-testid=settings-form]"],
      ["Activity", "[data-testid=records]"],
      ["Logs", "[data-testid=line]"],
    ]) {
      await screens.getByRole("link", { name }).click();
      await page.waitForSelector(part);
      await hasNoFaults();
    }
    await screens.getByRole("link", { name: "Services" }).click();
    await page.getByRole("link", { name: "postgres", exact: true }).first().click();
    await page.waitForSelector("[data-testid=container-postgres]");
    await hasNoFaults();
    assert.deepEqual(complaints, []);
  });
});
