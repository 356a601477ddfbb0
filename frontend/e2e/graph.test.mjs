// The graph of the services, in a real browser.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { complaintsOf } from "./support/browser.mjs";
import { scripted } from "./support/scripted.mjs";
import { healthyStack, service } from "./support/upstream.mjs";

const needs = { api: ["postgres", "redis"], frontend: ["api"] };

/** The stack with who needs whom, and one service in another condition. */
function tied(name, change) {
  return healthyStack().map((each) => ({
    ...each,
    dependsOn: needs[each.name] ?? [],
    ...(each.name === name && change),
  }));
}

/** A hundred services in four layers, of which each needs two of the next. */
function hundred() {
  return Array.from({ length: 100 }, (_, i) => {
    const below = (n) => `service-${25 * (Math.floor(i / 25) + 1) + ((7 * i + n) % 25)}`;
    return service(`service-${i}`, "Deployment", {
      state: i % 17 === 0 ? "unhealthy" : "healthy",
      dependsOn: i < 75 ? [below(0), below(9)] : [],
    });
  });
}

describe("the graph of the services", () => {
  const run = scripted();
  const node = (name, state) =>
    run.page.waitForSelector(`[data-testid=node-${name}][data-state=${state}]`);

  test("it shows who needs whom, with the health on the arrows, as it changes", async () => {
    const { page, said } = run;
    said.services = tied();
    const complaints = complaintsOf(page, run.dashboard.url);
    await run.show();
    await page.getByRole("button", { name: "Graph" }).press("Enter");
    await page.waitForURL("**/?view=graph");
    await node("redis", "healthy");
    assert.equal(await page.locator("[data-testid=dependency]").count(), 3);
    await run.hasNoFaults();
    said.services = tied("redis", { state: "unhealthy", ready: 0 });
    await node("redis", "unhealthy");
    await page.waitForSelector("[data-testid=dependency][data-state=unhealthy]", {
      state: "attached",
    });
    const list = await page.locator("[data-testid=graph-list]").textContent();
    assert.match(list, /redis is unhealthy/);
    assert.match(list, /api is healthy, needs postgres and redis/);
    await run.hasNoFaults();
    assert.deepEqual(complaints, []);
  });

  test("around one service there is only what it needs and what needs it; that is an address", async () => {
    const { page, said } = run;
    said.services = [...tied(), service("mail", "Deployment")];
    await run.show("/?view=graph");
    await node("mail", "healthy");
    await page.selectOption("label select", "redis");
    await page.waitForURL("**/?view=graph&service=redis");
    await page.waitForSelector("[data-testid=node-mail]", { state: "detached" });
    await node("frontend", "healthy");
    await page.goBack();
    await node("mail", "healthy");
    await page.goForward();
    await page.waitForSelector("[data-testid=node-mail]", { state: "detached" });
    await page.reload();
    await node("frontend", "healthy");
    assert.equal(await page.locator("[data-testid=node-mail]").count(), 0);
  });

  test("a hundred services are legible, reached by keyboard, and lead to their pages", async () => {
    const { page, said } = run;
    said.services = hundred();
    await page.emulateMedia({ reducedMotion: "reduce" });
    await run.show("/?view=graph");
    await node("service-99", "healthy");
    const boxes = await page
      .locator("[data-testid^=node-]")
      .evaluateAll((nodes) => nodes.map((each) => each.getBoundingClientRect().toJSON()));
    assert.equal(boxes.length, 100);
    const overlap = (a, b) =>
      a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    assert.equal(boxes.filter((a, i) => boxes.slice(i + 1).some((b) => overlap(a, b))).length, 0);
    // Whole names, in letters of full size.
    const cut = await page
      .locator("[data-testid^=node-] .truncate")
      .evaluateAll((names) => names.filter((each) => each.scrollWidth > each.clientWidth).length);
    assert.equal(cut, 0);
    await run.hasNoFaults();
    await page.locator("[data-testid=graph]").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/services/service-*");
  });
});
