// A control that is bound to the address shows a choice from the moment on that it is made, in
// a real browser: also before the server has answered, and for a choice that follows at once.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { save } from "./support/run-events.mjs";
import { scripted } from "./support/scripted.mjs";
import { healthyStack, past } from "./support/upstream.mjs";

/** What is chosen on each screen: a control by its label, what it is set to, and what the address then has. */
const choices = {
  "/?view=graph": [["Around", "redis", /service=redis/]],
  "/logs": [
    ["redis", true, /service=redis/],
    ["Level", "error", /level=error/],
    ["Time", "utc", /time=utc/],
    ["Wrap", false, /wrap=off/],
  ],
  "/history": [["Service", "redis", /service=redis/]],
  "/uptime": [["Service", "redis", /service=redis/]],
  "/reloads": [
    ["Service", "api", /service=api/],
    ["Saves", "failed", /failed=true/],
  ],
  "/activity": [["Outcome", "failed", /outcome=failed/]],
};

/** What a control shows. */
function shown(control) {
  return control.type === "checkbox" ? control.checked : control.value;
}

/** Sets a control as a person does, and says what it shows before anything else has run. */
function choose(control, value) {
  if (control.type === "checkbox") {
    control.click();
    return control.checked;
  }
  control.value = value;
  control.dispatchEvent(new Event("change", { bubbles: true }));
  return control.value;
}

describe("a choice", () => {
  const run = scripted({ loggedIn: true });

  async function show(place) {
    const { said } = run;
    said.services = healthyStack();
    said.environments = { dev: healthyStack(), "pr-1": healthyStack() };
    said.past = healthyStack().map(({ name }) => past(name));
    said.runEvents = [save()];
    await run.show(place);
  }

  /** Asks again and again, since a control may be made anew meanwhile, until the answer is the one that is wanted. */
  async function comes(ask, wanted) {
    const end = Date.now() + run.timeout;
    let answer = await ask();
    for (; answer !== wanted && Date.now() < end; answer = await ask()) {
      await run.page.waitForTimeout(50);
    }
    assert.equal(answer, wanted);
  }

  /** The control that has a label, once it can be set to a value. */
  async function controlOf(label, value) {
    if (typeof value === "boolean") {
      return run.page.getByLabel(label, { exact: true });
    }
    const control = run.page.locator(
      `select[aria-label="${label}"], label:has-text("${label}") select`,
    );
    const offers = ({ options }, value) => [...options].some((option) => option.value === value);
    await comes(() => control.evaluate(offers, value), true);
    return control;
  }

  for (const [place, controls] of Object.entries(choices)) {
    for (const [label, value, address] of controls) {
      test(`of ${label} at ${place} shows at once, is in the address, and is taken back`, async () => {
        const { page } = run;
        await show(place);
        const control = await controlOf(label, value);
        const before = await control.evaluate(shown);
        assert.notEqual(before, value);
        assert.equal(await control.evaluate(choose, value), value);
        await page.waitForURL((url) => address.test(url.search));
        assert.equal(await control.evaluate(shown), value);
        await page.goBack();
        await comes(() => control.evaluate(shown), before);
        assert.ok(!address.test(new URL(page.url()).search));
      });
    }
  }

  test("of an environment shows while the server is asked", async () => {
    const { page, said } = run;
    await show("/");
    const control = await controlOf("Environment", "pr-1");
    let released = false;
    said.holds = (path) => path.startsWith("/api/v1/services") && !released;
    assert.equal(await control.evaluate(choose, "pr-1"), "pr-1");
    await page.waitForTimeout(500);
    assert.equal(await control.evaluate(shown), "pr-1");
    released = true;
    await page.waitForURL(/environment=pr-1/);
    assert.equal(await control.evaluate(shown), "pr-1");
  });

  test("that follows another one at once keeps it", async () => {
    const { page } = run;
    await show("/logs");
    await controlOf("Level", "error");
    await page.getByLabel("redis", { exact: true }).waitFor();
    await page.evaluate(() => {
      const boxes = [...document.querySelectorAll("label")].filter(({ textContent }) =>
        ["api", "redis", "Wrap"].includes(textContent.trim()),
      );
      for (const box of boxes) {
        box.querySelector("input").click();
      }
    });
    await page.waitForURL((url) => url.searchParams.getAll("service").length === 2);
    const { searchParams } = new URL(page.url());
    assert.deepEqual(searchParams.getAll("service").toSorted(), ["api", "redis"]);
    assert.equal(searchParams.get("wrap"), "off");
    for (const name of ["api", "redis"]) {
      assert.ok(await page.getByLabel(name, { exact: true }).isChecked());
    }
  });

  test("of saves that follows one of a service at once keeps it", async () => {
    const { page } = run;
    await show("/reloads");
    const service = await controlOf("Service", "api");
    const saves = await controlOf("Saves", "failed");
    await Promise.all([service.evaluate(choose, "api"), saves.evaluate(choose, "failed")]);
    await page.waitForURL("**/reloads?service=api&failed=true");
    assert.equal(await service.evaluate(shown), "api");
    assert.equal(await saves.evaluate(shown), "failed");
  });

  test("in a snapshot shows at once, also where another one follows", async () => {
    const { page } = run;
    await show("/snapshot");
    await page.getByRole("checkbox", { name: /^The newest 2,000 log lines/ }).check();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save a snapshot" }).click(),
    ]);
    await page.getByLabel("Choose a file, or drop it here").setInputFiles(await file.path());
    const screens = page.getByRole("navigation", { name: "Screens of the snapshot" });
    await screens.getByRole("link", { name: "Logs" }).click();
    await page.waitForURL("**/snapshot/logs");
    const [time, level] = [await controlOf("Time", "utc"), await controlOf("Level", "error")];
    assert.equal(await time.evaluate(choose, "utc"), "utc");
    const wrap = page.getByLabel("Wrap");
    assert.deepEqual(
      await Promise.all([wrap.evaluate(choose, false), level.evaluate(choose, "error")]),
      [false, "error"],
    );
    await page.waitForURL("**/snapshot/logs?level=error&time=utc&wrap=off");
  });
});
