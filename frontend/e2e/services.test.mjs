// The services of a project beside its dashboard: they are rolled back, stopped, started, run
// again, and break and are mended, in a real browser.
//
//   BASE_URL  where the dashboard of its environment is
//   KUBECTL   kubectl on its cluster
//   ZR        zr on it: a copy of examples/hello, whose greeter has an earlier revision

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import {
  accessibilityViolations,
  launch,
  logIn,
  newContext,
  open,
  showsState,
  takenOver,
} from "./support/browser.mjs";
import { create, kubectl, zr } from "./support/commands.mjs";
import { noteNotifications, setVisibility } from "./support/notifications.mjs";

const { BASE_URL, KUBECTL } = process.env;

/** Longer than a pod takes to start on a busy machine. */
const TIMEOUT = 180_000;

/** Of the first environment of those that the dashboard is beside. */
const inHello = (...args) => kubectl("-n", "hello", ...args);

/** Makes a Job that runs a program of Node.js in the image of web. */
async function makeJob(name, program) {
  const web = JSON.parse(await inHello("get", "deployment", "web", "-o", "json"));
  const { containers, ...spec } = web.spec.template.spec;
  const [{ image, securityContext }] = containers;
  const command = ["node", "-e", program];
  const pod = {
    ...spec,
    restartPolicy: "Never",
    containers: [{ name, image, securityContext, command }],
  };
  await create({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: "hello" },
    spec: { backoffLimit: 0, template: { spec: pod } },
  });
}

describe("the services of a running project", { skip: !KUBECTL && "KUBECTL is not set" }, () => {
  let browser;
  let context;
  let page;
  before(async () => {
    browser = await launch();
    const { origin } = new URL(BASE_URL);
    context = await newContext(browser);
    await context.grantPermissions(["notifications"], { origin });
    context.setDefaultTimeout(TIMEOUT);
    await logIn(context, await zr("dashboard"), TIMEOUT);
    page = await context.newPage();
  });
  after(() => browser?.close());

  const visit = async (path, tab = page) => {
    await open(tab, new URL(path, BASE_URL).href);
    await takenOver(tab);
  };
  const press = (name) => page.getByRole("button", { name, exact: true }).press("Enter");

  /**
   * Waits until a change has ended: as it should, or because a busy machine took longer
   * than the api waits, which the page says; what follows is then looked at.
   */
  const ended = (outcome, text) =>
    page
      .locator(`[data-testid=notice][data-outcome=${outcome}]`, { hasText: text })
      .or(page.locator("[data-testid=notice]", { hasText: "it has not taken effect yet" }))
      .waitFor();

  async function hasNoFaults(tab = page) {
    for (const colorScheme of ["light", "dark"]) {
      await tab.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(tab), [], `${tab.url()}: ${colorScheme}`);
    }
  }

  test("a service goes back to a revision, and from there to the one that it had", async () => {
    await visit("/services/greeter");
    const current = page.locator("[data-testid=revisions] [data-current=true] span").first();
    const had = await current.textContent();
    const back = page.getByRole("button", { name: /^Roll back to revision/ }).first();
    const [earlier] = /\d+$/.exec(await back.getAttribute("aria-label"));
    for (const revision of [earlier, had]) {
      await press(`Roll back to revision ${revision}`);
      await page
        .locator("[data-testid=consequence]", { hasText: `those of revision ${revision}` })
        .waitFor();
      await page.keyboard.press("Enter");
      await ended("done", `greeter is at revision ${revision}: 1 of 1 pod ready`);
      await hasNoFaults();
      await press("Dismiss");
    }
  });

  test("a snapshot has what a service wrote only where that is chosen: its secrets are not known here", async () => {
    const value = `planted-${randomUUID()}`;
    const text = JSON.stringify(`password ${value}\n`);
    const program = `require("node:fs").appendFileSync("/proc/1/fd/1", ${text})`;
    await inHello("exec", "deployment/web", "--", "node", "-e", program);
    await visit(`/logs?service=web&text=${value}`);
    await page.locator("[data-testid=line]", { hasText: value }).waitFor();
    await visit("/snapshot");
    for (const chosen of [false, true]) {
      await page.getByRole("checkbox", { name: /log lines/ }).setChecked(chosen);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save a snapshot" }).click(),
      ]);
      const file = await readFile(await download.path(), "utf8");
      assert.equal(file.includes(value), chosen);
      assert.equal(JSON.parse(file).environment, "hello");
    }
  });

  test("a service that another needs is stopped by who was told so, and started", async () => {
    await visit("/services/greeter");
    await press("Stop");
    await page
      .locator("[data-testid=consequence]", { hasText: "web depends on it and will fail" })
      .waitFor();
    await hasNoFaults();
    await page.keyboard.press("Enter");
    await ended("done", "greeter is stopped: it has no pods");
    await page.waitForSelector("[data-testid=detail][data-state=pending]");
    await hasNoFaults();
    await press("Dismiss");
    await press("Start");
    await page.waitForSelector("[data-testid=action-dialog][data-action=start]");
    await page.keyboard.press("Enter");
    await ended("done", "greeter is running: 1 of 1 pod ready");
    await page.waitForSelector("[data-testid=detail][data-state=healthy]");
    await press("Dismiss");
  });

  test("a Job is run again, and says that it has completed, or that it failed", async (t) => {
    t.after(() => inHello("delete", "job", "seed", "spoilt", "--ignore-not-found"));
    await makeJob("seed", "console.log('seeded')");
    await makeJob("spoilt", "process.exit(3)");
    for (const [name, state, outcome, text] of [
      ["seed", "healthy", "done", "seed has run again, and completed"],
      ["spoilt", "unhealthy", "failed", "Run spoilt again: the Job failed"],
    ]) {
      await visit(`/services/${name}`);
      // One that still runs is not run again.
      await page.waitForSelector(`[data-testid=detail][data-state=${state}]`);
      await press("Run again");
      await page.waitForSelector("[data-testid=action-dialog][data-action=run]");
      await hasNoFaults();
      await page.keyboard.press("Enter");
      await ended(outcome, text);
      await hasNoFaults();
      await press("Dismiss");
    }
    await inHello("delete", "job", "seed", "spoilt");
    await visit("/");
    await page.waitForSelector("[data-testid=service-seed]", { state: "detached" });
  });

  test("a service that breaks says why on each screen and in a notification, until it is mended", async (t) => {
    const deployment = JSON.parse(await inHello("get", "deployment", "greeter", "-o", "json"));
    const [{ name, image }] = deployment.spec.template.spec.containers;
    const withImage = (one) => inHello("set", "image", "deployment/greeter", `${name}=${one}`);
    const hidden = await context.newPage();
    await hidden.addInitScript(noteNotifications);
    await visit("/", hidden);
    await hidden.keyboard.press("?");
    // check() looks at the box before the browser has said that it allows it.
    await hidden.getByRole("checkbox", { name: /Notify me/ }).click();
    await hidden.waitForSelector("[data-testid=help] input:checked");
    await hidden.keyboard.press("Escape");
    await hidden.evaluate(setVisibility, "hidden");
    const notifies = (title) =>
      hidden.waitForFunction((text) => globalThis.made.at(-1)?.title === text, title);

    await visit("/");
    await showsState(page, "greeter", "healthy", TIMEOUT);
    t.after(() => withImage(image));
    await withImage("localhost/of-nobody:1");
    await showsState(page, "greeter", "unhealthy", TIMEOUT);
    await page
      .locator("[data-testid=service-greeter] [data-testid=reason]", { hasText: "of-nobody" })
      .waitFor();
    await page.waitForFunction(() => document.title === "greeter is unhealthy · zr");
    await hasNoFaults();
    await notifies("greeter is unhealthy");
    await page.getByRole("button", { name: "Graph" }).press("Enter");
    await page.waitForSelector("[data-testid=node-greeter][data-state=unhealthy]");
    await hasNoFaults();
    await visit("/services/greeter");
    await page.waitForSelector("[data-testid=detail][data-state=unhealthy]");
    await page.locator("[data-testid=events]", { hasText: "Warning: Failed" }).waitFor();
    await hasNoFaults();
    await visit("/uptime");
    const outage = (end) =>
      page.locator(`[data-testid=outages] [data-end=${end}]`, { hasText: "greeter" }).first();
    await outage("lasting").locator("strong").waitFor(); // why it began
    await outage("lasting").getByText("web needs it.").waitFor();
    await hasNoFaults();

    await withImage(image);
    await notifies("greeter is healthy again");
    await hidden.evaluate(setVisibility, "visible");
    await hidden.evaluate(() => globalThis.made[0].dispatchEvent(new Event("click")));
    await hidden.waitForURL("**/services/greeter");
    await hidden.waitForSelector("[data-testid=detail][data-state=healthy]");
    await outage("lasting").waitFor({ state: "detached" });
    await outage("healthy").locator("strong").waitFor();
    await visit("/history?service=greeter");
    await page.locator("[data-testid=history] li", { hasText: "of-nobody" }).first().waitFor();
  });
});
