// Back and forward, and addresses that mean nothing, in a real browser.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { complaintsOf } from "./support/browser.mjs";
import { someConfiguration } from "./support/configuration.mjs";
import { attachedRun } from "./support/run-events.mjs";
import { scripted } from "./support/scripted.mjs";
import { healthyStack, past } from "./support/upstream.mjs";

/** An address with everything that some screen reads, in a form that none does. */
const NONSENSE =
  "tab=%00&view=graph&view=text&revision=-1&against=9e9&cursor=%F0%9F%92%A9&service=../x&window=1y" +
  "&failed=perhaps&event=%3Cscript%3E&actor=%E2%80%AE&action=1&outcome=&folder=&level=loud&from=now";

describe("addresses", () => {
  const run = scripted({ loggedIn: true });
  const at = (path) => run.page.waitForURL(`**${path}`);
  const link = (name) => run.page.getByRole("link", { name, exact: true }).first();

  test("back and forward of the activity: filters of records, the outcome, and pages", async () => {
    const { page, said } = run;
    const when = new Date().toISOString();
    const done = { id: 1, at: when, actor: "ana", action: "logIn", target: "x", outcome: "done" };
    said.records = [done, { ...done, id: 2, actor: "ben", outcome: "refused" }];
    said.next = "older";
    await run.show("/activity");
    await page.waitForSelector("[data-testid=records] [data-outcome=refused]");
    await link("ana").click();
    await at("/activity?actor=ana");
    await page.getByRole("combobox", { name: "Outcome" }).selectOption("done");
    await at("/activity?actor=ana&outcome=done");
    await link("Older").click();
    await at("/activity?actor=ana&outcome=done&cursor=older");
    await link("Newest").waitFor();
    await page.goBack();
    await at("/activity?actor=ana&outcome=done");
    await link("Newest").waitFor({ state: "detached" });
    const outcome = () => page.getByRole("combobox", { name: "Outcome" }).inputValue();
    assert.equal(await outcome(), "done");
    await page.goBack();
    await at("/activity?actor=ana");
    await page.waitForFunction(() => document.querySelector("main select").value === "");
    await link("Without the filter ana").waitFor();
    await page.goBack();
    await at("/activity");
    await link("Without the filter ana").waitFor({ state: "detached" });
    await page.goForward();
    await page.goForward();
    await at("/activity?actor=ana&outcome=done");
    await link("Without the filter ana").waitFor();
    assert.equal(await outcome(), "done");
  });

  test("back and forward of the setup: the folders that were asked about", async () => {
    const { page, said } = run;
    said.attached = [attachedRun({ actions: ["examine", "propose"] })];
    said.findings = [];
    await run.show("/setup");
    const folder = page.getByLabel("Folder of the project");
    const proposal = (name) => page.locator("[data-testid=proposal]", { hasText: name }).waitFor();
    for (const name of ["mail", "cart"]) {
      const proposed = { kind: "go", because: "it has a main package", port: 0, edits: [] };
      said.onAction = (_, __, answer) => answer(200, { service: name, ...proposed });
      await folder.fill(`services/${name}`);
      await folder.press("Enter");
      await at(`/setup?folder=services%2F${name}`);
      await proposal(name);
    }
    await page.goBack();
    await at("/setup?folder=services%2Fmail");
    await page.waitForSelector("[data-testid=proposal]", { state: "detached" });
    assert.equal(await folder.inputValue(), "services/mail");
    await page.goBack();
    await page.waitForFunction(() => document.querySelector("main form input").value === "");
    await page.goForward();
    await page.goForward();
    await at("/setup?folder=services%2Fcart");
    await proposal("cart");
    assert.equal(await folder.inputValue(), "services/cart");
  });

  test("back and forward of the page of a service: who it needs, who needs it, and where it was come from", async () => {
    const { page, said } = run;
    said.services = healthyStack().map((one) =>
      one.name === "api" ? { ...one, dependsOn: ["redis"] } : one,
    );
    const shows = (name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
    await run.show("/?view=graph");
    await page.locator("[data-testid=node-api]").waitFor();
    await page.getByRole("button", { name: "Table" }).click();
    await at("/");
    await page.locator("[data-testid=service-api] th a").click();
    await shows("api");
    await page.locator("main").getByRole("link", { name: "redis", exact: true }).click();
    await shows("redis");
    await at("/services/redis");
    await page.goBack();
    await shows("api");
    await page.waitForSelector("[data-testid=container-api]");
    await page.goBack();
    await page.waitForSelector("[data-testid=service-redis]");
    await page.goBack();
    await at("/?view=graph");
    await page.waitForSelector("[data-testid=node-redis]");
    for (let i = 0; i < 3; i++) {
      await page.goForward();
    }
    await shows("redis");
    await page.waitForSelector("[data-testid=container-redis]");
  });

  test("what means nothing in an address is left out, on every screen", async () => {
    const { page, said } = run;
    said.configuration = someConfiguration();
    said.past = healthyStack().map(({ name }) => past(name));
    const complaints = complaintsOf(page, run.dashboard.url);
    for (const path of [
      "/",
      "/services/redis",
      "/logs",
      "/reloads",
      "/configuration",
      "/setup",
      "/history",
      "/activity",
      "/snapshot",
      "/snapshot/logs",
    ]) {
      await run.show(`${path}?${NONSENSE}`);
      await page.waitForSelector("h1");
      await page.waitForLoadState("networkidle"); // what it asks for itself is answered
      assert.equal(await page.locator("[data-code=not_forwarded]").count(), 0, path);
    }
    await run.show("/configuration?tab=revisions&revision=0012&against=-1");
    await page.waitForSelector("[data-testid=revisions]");
    assert.equal(await page.locator("[aria-current=true]").count(), 0);
    assert.deepEqual(complaints, []);
  });
});
