// What people come for, in a real browser: by keyboard alone, and in how many
// presses and clicks.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { someConfiguration } from "./support/configuration.mjs";
import { scripted } from "./support/scripted.mjs";
import { healthyStack, past } from "./support/upstream.mjs";

const crashed = {
  state: "unhealthy",
  ready: 0,
  reason: { code: "crash", message: 'container "redis" ended with exit code 1' },
};

function brokenStack() {
  return healthyStack().map((each) => (each.name === "redis" ? { ...each, ...crashed } : each));
}

/** Lines of two services, half of them errors. */
function someLines() {
  return Array.from({ length: 8 }, (_, i) => ({
    id: String(i + 1),
    time: new Date(Date.now() - (8 - i) * 1_000).toISOString(),
    service: ["api", "redis"][i % 2],
    level: i < 4 ? "info" : "error",
    message: `line ${i + 1} of ${["api", "redis"][i % 2]}`,
  }));
}

describe("tasks", () => {
  const run = scripted({ loggedIn: true });
  /** Clicks and presses of keys since the test began. */
  let counted = 0;
  const click = async (locator) => {
    counted++;
    await locator.click();
  };
  const press = async (...keys) => {
    for (const key of keys) {
      counted++;
      await run.page.keyboard.press(key);
    }
  };
  const write = (text) => press(...text);
  const costs = (most) => {
    assert.ok(counted <= most, `${counted} clicks and presses, ${most} at most`);
    counted = 0;
  };
  const heading = (name) => run.page.getByRole("heading", { level: 1, name }).waitFor();
  const line = (text) => run.page.locator("[data-testid=line]", { hasText: text }).first();

  test("which service broke, and its first error line: one click", async () => {
    const { page, said } = run;
    said.services = brokenStack();
    said.lines = someLines().filter(
      ({ service, level }) => service === "redis" && level === "error",
    );
    await run.show();
    counted = 0;
    await heading("redis is unhealthy");
    await page.getByText("ended with exit code 1").waitFor();
    await click(page.getByRole("link", { name: "Error lines of redis" }));
    await page.waitForURL("**/logs?service=redis&level=error");
    await line("line 6 of redis").waitFor();
    costs(1);
  });

  test("the api is restarted: one click, or fourteen keys", async () => {
    const { page, said } = run;
    const asked = [];
    said.onAction = (name, action, answer) => {
      asked.push(`${action} ${name}`);
      answer(200, { service: name, replicas: 1, ready: 1, generation: 2 });
    };
    const done = () => page.waitForSelector("[data-testid=notice][data-outcome=done]");
    await run.show();
    counted = 0;
    await click(page.getByRole("button", { name: "Restart api", exact: true }));
    await done();
    costs(1);
    await page.getByRole("button", { name: "Dismiss" }).click();
    await press("Control+k");
    await write("restart api");
    await press("Enter");
    await page.waitForSelector("[data-testid=action-dialog][data-action=restart]");
    await press("Enter");
    await done();
    costs(14);
    assert.deepEqual(asked, ["restart api", "restart api"]);
  });

  test("a restart that takes something away is agreed to first", async () => {
    const { page, said } = run;
    said.services = healthyStack().map((one) =>
      one.name === "api" ? { ...one, dependsOn: ["redis"] } : one,
    );
    await run.show();
    await page.getByRole("button", { name: "Restart redis", exact: true }).click();
    const consequence = page.locator("[data-testid=consequence]");
    assert.match(await consequence.textContent(), /may be cut off/);
    await run.hasNoFaults();
  });

  test("errors of two services in the last two minutes: two clicks", async () => {
    const { page, said } = run;
    said.lines = someLines().filter(({ level }) => level === "error");
    await run.show();
    counted = 0;
    await click(page.getByRole("button", { name: "Errors of api in the last 2 minutes" }));
    await page.waitForURL(/service=api&level=error&from=/);
    await line("line 5").waitFor();
    await click(page.getByLabel("redis", { exact: true }));
    await page.waitForURL(/service=api&service=redis&level=error&from=/);
    await line("line 8").waitFor();
    const from = new URL(page.url()).searchParams.get("from");
    const age = Date.now() - Date.parse(from);
    assert.ok(age >= 120_000, `${age} ms`);
    costs(2);
  });

  test("what changed in the configuration, and who did it: two clicks", async () => {
    const { page, said } = run;
    said.configuration = someConfiguration();
    await run.show();
    counted = 0;
    await click(page.getByRole("link", { name: "Configuration" }));
    await heading("Configuration");
    await click(page.getByRole("link", { name: "Revisions" }));
    const newest = await page.locator("[data-testid=revisions] li").first().textContent();
    assert.match(newest, /ana/);
    assert.match(newest, /to see what it asks redis/);
    costs(2);
  });

  test("by keyboard alone: a service, its page, its graph, its logs, its health and its history", async () => {
    const { page, said } = run;
    said.services = brokenStack();
    said.past = healthyStack().map(({ name }) => past(name));
    said.lines = someLines();
    said.configuration = someConfiguration();
    await run.show();
    await press("Control+k");
    await write("redis");
    await press("Enter");
    await heading("redis");
    for (const [key, name] of [
      ["l", "Logs"],
      ["u", "Health"],
      ["c", "Configuration"],
      ["h", "History"],
      ["a", "Activity"],
    ]) {
      await press("g", key);
      await heading(name);
    }
    await press("g", "s");
    await heading("redis is unhealthy");
    await page.getByRole("button", { name: "Graph" }).focus();
    await press("Enter");
    await page.waitForSelector("[data-testid=node-redis][data-state=unhealthy]");
    await press("?");
    await page.waitForSelector("[data-testid=help]");
    await press("Escape");
    await page.waitForSelector("[data-testid=help]", { state: "detached" });
    await press("g", "l");
    await line("line 8").waitFor();
    await press("/");
    await write("saved");
    await press("Enter");
    await page.waitForURL("**/logs?text=saved");
  });
});
