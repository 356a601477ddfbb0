// Notifications of a real browser, which is allowed to show them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { noteNotifications, setVisibility } from "./support/notifications.mjs";
import { scripted } from "./support/scripted.mjs";
import { healthyStack, service } from "./support/upstream.mjs";

const crashed = service("redis", "StatefulSet", {
  state: "unhealthy",
  ready: 0,
  reason: { code: "crash", message: 'container "redis" ended with exit code 1' },
});

describe("notifications", () => {
  const run = scripted({ loggedIn: true });

  const made = () =>
    run.page.evaluate(() => globalThis.made.map(({ title, body }) => [title, body]));
  const makes = (title) =>
    run.page.waitForFunction((text) => globalThis.made.at(-1)?.title === text, title);

  test("they are asked for by a click, tell what fails and heals while the page is hidden, and lead there", async () => {
    const { page, upstream, dashboard } = run;
    await page.context().grantPermissions(["notifications"], { origin: dashboard.url });
    await page.addInitScript(noteNotifications);
    await run.show("/");
    assert.equal(await page.evaluate(() => globalThis.asked), 0);
    await page.keyboard.press("?");
    const choice = page.getByRole("checkbox", { name: /Notify me/ });
    assert.equal(await choice.isChecked(), false);
    await choice.focus();
    await page.keyboard.press("Space");
    await page.waitForSelector("[data-testid=help] input:checked");
    assert.equal(await page.evaluate(() => globalThis.asked), 1);
    await run.hasNoFaults();

    // It is remembered, and nothing is asked again.
    await run.show("/history");
    await page.keyboard.press("?");
    await page.waitForSelector("[data-testid=help] input:checked");
    assert.equal(await page.evaluate(() => globalThis.asked), 0);
    await page.keyboard.press("Escape");

    await page.evaluate(setVisibility, "hidden");
    await upstream.watched("/api/v1/live/services");
    upstream.tell(...healthyStack());
    upstream.tell(crashed);
    await makes("redis is unhealthy");
    upstream.tell({ ...crashed, state: "starting" });
    upstream.tell(healthyStack().find(({ name }) => name === "redis"));
    await makes("redis is healthy again");
    assert.deepEqual(await made(), [
      ["redis is unhealthy", 'container "redis" ended with exit code 1'],
      ["redis is healthy again", ""],
    ]);

    await page.evaluate(setVisibility, "visible");
    await page.evaluate(() => globalThis.made[0].dispatchEvent(new Event("click")));
    await page.waitForURL("**/services/redis");
    run.said.services = healthyStack().map((each) => (each.name === "redis" ? crashed : each));
    await page.waitForSelector("[data-testid=detail][data-state=unhealthy]");
    assert.equal((await made()).length, 2);
  });
});
