// What the services use, and who changed them last, in a real browser, over an
// api that says it or does not.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clippedParts, showsState } from "./support/browser.mjs";
import { scripted } from "./support/scripted.mjs";
import { healthyStack } from "./support/upstream.mjs";

describe("what the services use and who changed them last", () => {
  const run = scripted();

  /** Waits until a row says what its service uses, and what was done last. */
  async function has(service, use, change) {
    const row = run.page.locator(`[data-testid=service-${service}]`);
    await row.locator("[data-testid=use]").filter({ hasText: use }).waitFor();
    await row.locator("[data-testid=last-change]").filter({ hasText: change }).waitFor();
  }

  const note = (text) =>
    run.page.locator("[data-testid=overview-note]", { hasText: text }).waitFor();

  test("it is for who is logged in", async () => {
    await run.show();
    await note("zr dashboard");
    await run.hasNoFaults();
    assert.equal(run.said.refused, undefined, "what is refused is a record of the audit log");
    await run.logIn();
    await run.show();
    await has("api", /^0\.013 cores39\.1 MiB$/, /^deployed 1 h agoby ana$/);
    assert.equal(await run.page.locator("[data-testid=overview-note]").count(), 0);
    await run.hasNoFaults();
  });

  test("a database that is away takes the names away and nothing else", async () => {
    await run.logIn();
    run.said.historyError = "connection refused";
    await run.show();
    await has("api", /^0\.013 cores/, /^deployed 1 h agowith zr$/);
    await note("connection refused");
    await run.hasNoFaults();
    run.said.historyError = undefined;
    await has("api", /^0\.013 cores/, /by ana$/);
  });

  test("what is not known is said, and what others wrote has an end", async () => {
    await run.logIn();
    const at = new Date().toISOString();
    const by = `${"eve ".repeat(40)}<img src=x onerror=document.title=1>`;
    run.said.overview = {
      usageWhy: "the metrics API of the cluster: there is none",
      services: [
        { name: "api", lastChange: { at, what: "rolledBack", by } },
        { name: "redis", use: { running: 2, measured: 0, cpuCores: 0, memoryBytes: 0 } },
      ],
    };
    await run.show();
    await has("api", /^–none$/, /^rolled back .*by eve eve/);
    await has("redis", /^not measured yet$/, /^–none$/);
    await note("there is none");
    for (const width of [1280, 1536]) {
      await run.page.setViewportSize({ width, height: 720 });
      assert.deepEqual(await clippedParts(run.page), [], `${width} pixels`);
    }
    await run.hasNoFaults();
    await run.show("/services/api");
    await run.page.getByText("rolled back by eve eve").waitFor();
    await run.hasNoFaults();
  });

  test("three hundred services have their figures, and a change of one is shown", async () => {
    await run.logIn();
    const service = healthyStack()[2];
    run.said.services = Array.from({ length: 300 }, (_, i) => ({ ...service, name: `s-${i}` }));
    await run.show();
    await run.page.waitForFunction(
      () =>
        [...document.querySelectorAll("[data-testid=use]")].filter(({ textContent }) =>
          textContent.startsWith("0.013 cores"),
        ).length === 300,
    );
    await run.upstream.watched("/api/v1/live/services");
    run.said.services[299].state = "unhealthy";
    run.upstream.tell(run.said.services[299]);
    await showsState(run.page, "s-299", "unhealthy");
  });
});
