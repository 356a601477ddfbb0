// The screen that says what the environment lacks, in a real browser, over an api
// that gets into each state on request.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { complaintsOf, faultsOf, launch, newContext, open, takenOver } from "./support/browser.mjs";
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

const findings = [
  { name: "container engine", status: "ok", detail: "docker 29.1 answers" },
  { name: "port 3000", status: "fail", detail: "it is taken", command: "zr doctor --fix" },
  { name: "images", status: "ok", detail: "12 in the store, 1.4 GiB", command: "zr images prune" },
  { name: "clock", status: "warn", detail: "it is 2 s behind", hint: "set it by the network" },
];

describe("the setup", () => {
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
  const problem = (code) => page.waitForSelector(`[data-testid=problem][data-code=${code}]`);
  const hasNoFaults = async () => assert.deepEqual(await faultsOf(page), []);
  const actions = ["examine", "propose"];

  test("the checklist of an attached zr dev has what mends it, by keyboard", async () => {
    await logIn();
    said.attached = [attachedRun({ actions })];
    said.findings = findings;
    const complaints = complaintsOf(page, dashboard.url);
    await open(page, dashboard.url);
    await takenOver(page);
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.waitForURL("**/setup");
    const first = page.locator("[data-testid=checklist] li").first();
    assert.match(await first.textContent(), /port 3000.*zr doctor --fix/);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await first.getByRole("button", { name: "Copy" }).press("Enter");
    await page.getByText("Copied").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "zr doctor --fix");
    await hasNoFaults();
    said.findings = findings.filter(({ status }) => status === "ok");
    await page.getByRole("button", { name: "Look again" }).press("Enter");
    await page.getByText("Everything is in order").waitFor();
    await hasNoFaults();
    assert.deepEqual(complaints, []);
  });

  test("a folder gets the lines that make a service of it, and the address keeps it", async () => {
    await logIn();
    said.attached = [attachedRun({ actions })];
    said.findings = findings;
    said.onAction = (_, action, answer) =>
      action === "propose" &&
      answer(404, apiProblem("not_found", "the project has no such folder"));
    await open(page, `${dashboard.url}/setup`);
    await takenOver(page);
    await page.getByLabel("Folder of the project").fill("services/mail");
    await page.keyboard.press("Enter");
    await page.getByText("the project has no such folder").waitFor();
    await hasNoFaults();
    await page.waitForURL("**/setup?folder=services%2Fmail");
    const edits = [
      { file: "config/dev.yaml", new: false, under: "services", text: "  mail:\n    go: {}\n" },
      { file: "kustomize/base/mail.yaml", new: true, text: "kind: Deployment\n" },
    ];
    const proposal = { service: "mail", kind: "go", because: "it has a main package", port: 8080 };
    said.onAction = (_, __, answer) => answer(200, { ...proposal, edits });
    await page.reload();
    await takenOver(page);
    await page.getByRole("button", { name: "Show the lines" }).press("Enter");
    await page.waitForSelector("[data-testid=proposal]");
    await page.getByText("at the end of services:").waitFor();
    await hasNoFaults();
  });

  test("where nobody is attached, and where nothing runs yet, the commands are shown", async () => {
    await logIn();
    said.services = [];
    await open(page, `${dashboard.url}/setup`);
    await page.waitForSelector("[data-testid=first-run]");
    await page.waitForSelector("[data-testid=nobody-examines]");
    await hasNoFaults();
    said.attached = [attachedRun({ actions })];
    await problem("dev_failed");
    await hasNoFaults();
    said.findings = findings;
    await page.click("text=Try now");
    await page.waitForSelector("[data-testid=checklist]");
  });

  test("a viewer looks, and who is not logged in is told how to", async () => {
    await open(page, `${dashboard.url}/setup`);
    await problem("not_logged_in");
    await page.waitForSelector("[data-testid=cluster]");
    await hasNoFaults();
    await logIn();
    said.role = "viewer";
    said.attached = [attachedRun({ actions })];
    said.findings = findings;
    await open(page, `${dashboard.url}/setup`);
    await page.waitForSelector("[data-testid=why-not]");
    await page.waitForSelector("[data-testid=checklist]");
    await hasNoFaults();
  });

  test("an api that goes away leaves what was known, and its return fixes it", async () => {
    await logIn();
    await open(page, `${dashboard.url}/setup`);
    await page.waitForSelector("[data-testid=nobody-examines]");
    await upstream.stop();
    try {
      await problem("api_unreachable");
      await page.getByText("Cluster as it was").waitFor();
      await hasNoFaults();
    } finally {
      await upstream.start();
    }
    await page.waitForSelector("[data-testid=problem]", { state: "detached" });
  });
});
