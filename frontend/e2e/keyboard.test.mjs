// The main tasks by keyboard alone: nothing is clicked, and no script moves the
// focus. Tab goes on until the thing has the focus, as for somebody who sees where it is.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { someConfiguration } from "./support/configuration.mjs";
import { attachedRun, refusedSave } from "./support/run-events.mjs";
import { scripted } from "./support/scripted.mjs";
import { healthyStack } from "./support/upstream.mjs";

/** More things than any screen has. */
const MOST_TABS = 80;

const crashed = {
  state: "unhealthy",
  ready: 0,
  reason: { code: "crash", message: 'container "redis" ended with exit code 1' },
};

function stackWith(name, change) {
  return healthyStack().map((each) => (each.name === name ? { ...each, ...change } : each));
}

function lineOf(id, service, level) {
  const time = new Date(Date.now() - 10_000 + id * 1_000).toISOString();
  return { id: String(id), time, service, level, message: `line ${id} of ${service}` };
}

describe("by keyboard alone", () => {
  const run = scripted({ loggedIn: true });
  let asked;
  /** Presses of keys since the test began, letters included. */
  let counted;

  beforeEach(() => {
    asked = [];
    counted = 0;
    run.said.onAction = (name, action, answer) => {
      asked.push(`${action} ${name}`);
      answer(200, { service: name, replicas: 1, ready: 1, generation: 2 });
    };
  });

  const press = async (...keys) => {
    for (const key of keys) {
      counted++;
      await run.page.keyboard.press(key);
    }
  };
  const write = async (text) => {
    counted += text.length;
    await run.page.keyboard.type(text);
  };
  const costs = (most) => assert.ok(counted <= most, `${counted} keys, ${most} at most`);
  const heading = (name) => run.page.getByRole("heading", { level: 1, name }).waitFor();

  /** Tab until something has the focus. */
  const reach = async (locator) => {
    await locator.waitFor();
    for (let tabs = 0; tabs < MOST_TABS; tabs++) {
      if (await locator.evaluate((element) => element === document.activeElement)) {
        return;
      }
      await press("Tab");
    }
    throw new Error(`${locator} has no focus after ${MOST_TABS} presses of Tab`);
  };
  const button = (name) => run.page.getByRole("button", { name, exact: true });
  const link = (name) => run.page.getByRole("link", { name, exact: true });

  /** Picks an action in the palette, and waits for what it asks. */
  const pick = async (text, action) => {
    await press("Control+k");
    await write(text);
    await press("Enter");
    await run.page.waitForSelector(`[data-testid=action-dialog][data-action=${action}]`);
  };
  const done = () => run.page.waitForSelector("[data-testid=notice][data-outcome=done]");

  test("1: which service broke, and its first error line", async () => {
    run.said.services = stackWith("redis", crashed);
    run.said.lines = [lineOf(1, "redis", "error")];
    await run.show();
    await heading("redis is unhealthy");
    await press("Control+k");
    await write("err red");
    await press("Enter");
    await run.page.waitForURL("**/logs?service=redis&level=error");
    await run.page.getByText("line 1 of redis").waitFor();
    costs(9);
  });

  test("2: a service is restarted", async () => {
    await run.show();
    await pick("restart api", "restart");
    await press("Enter");
    await done();
    assert.deepEqual(asked, ["restart api"]);
    costs(14);
  });

  test("3: a service is stopped, by who was told what needs it, and started", async () => {
    run.said.services = stackWith("api", { dependsOn: ["redis"] });
    await run.show();
    await pick("stop redis", "stop");
    const consequence = run.page.locator("[data-testid=consequence]");
    assert.match(await consequence.textContent(), /api depends on it/);
    await press("Enter");
    await done();
    const stopped = { state: "pending", ready: 0, desired: 0, pods: [] };
    run.said.services = stackWith("redis", stopped);
    await run.page.waitForSelector('[data-testid="service-redis"][data-state=pending]');
    await pick("start redis", "start");
    await press("Enter");
    // The first one is of the stop.
    await run.page.locator("[data-testid=notice][data-outcome=done]").nth(1).waitFor();
    assert.deepEqual(asked, ["stop redis", "start redis"]);
    costs(27);
  });

  test("4: a service is scaled", async () => {
    await run.show();
    await pick("scale frontend", "scale");
    await reach(run.page.getByLabel("Pods"));
    await press("Control+a");
    await write("3");
    await press("Enter");
    await done();
    assert.deepEqual(asked, ["scale frontend"]);
    costs(19);
  });

  test("5: a service goes back to a revision", async () => {
    const createdAt = new Date().toISOString();
    const images = ["localhost/zr/redis@sha256:0be3914d55af0be3914d55af"];
    run.said.revisions = [
      { revision: 3, current: true, images, createdAt, cause: "another image" },
      { revision: 2, current: false, images, createdAt },
    ];
    await run.show();
    await press("Control+k");
    await write("redis");
    await press("Enter");
    await heading("redis");
    await reach(button("Roll back to revision 2"));
    await press("Enter");
    await run.page.waitForSelector("[data-testid=action-dialog][data-action=rollback]");
    await press("Enter");
    await done();
    assert.deepEqual(asked, ["rollback redis"]);
    costs(17);
  });

  test("6: errors of two services in the last two minutes", async () => {
    run.said.lines = [lineOf(1, "api", "error"), lineOf(2, "redis", "error")];
    await run.show();
    await press("Control+k");
    await write("err api");
    await press("Enter");
    await run.page.waitForURL(/service=api&level=error&from=/);
    await run.page.getByText("line 2 of redis").waitFor();
    await press("/");
    await reach(run.page.getByLabel("redis", { exact: true }));
    await press("Space");
    await run.page.waitForURL(/service=api&service=redis&level=error&from=/);
    await run.page.getByText("line 2 of redis").waitFor();
    costs(14);
  });

  test("7: what changed in the configuration, and who did it", async () => {
    run.said.configuration = someConfiguration();
    await run.show();
    await press("g", "c");
    await heading("Configuration");
    await reach(link("Revisions"));
    await press("Enter");
    const newest = run.page.locator("[data-testid=revisions] li").first();
    assert.match(await newest.textContent(), /ana/);
    costs(17);
  });

  test("8: a setting is changed, and saved with a reason", async () => {
    run.said.configuration = someConfiguration();
    const saved = new Promise((resolve) => {
      run.said.onConfigure = (change, how) => {
        how.finish();
        resolve(change);
      };
    });
    await run.show();
    await press("g", "c");
    await reach(run.page.getByLabel("Value of LOG_LEVEL"));
    await press("Control+a");
    await write("error");
    await run.page.locator("[data-testid=effects]", { hasText: "Rolls" }).waitFor();
    await reach(run.page.getByLabel(/^Why, for those/));
    await write("less to read");
    await press("Enter");
    const { settings, reason } = await saved;
    assert.deepEqual([settings.LOG_LEVEL, reason], ["error", "less to read"]);
    costs(49);
  });

  test("9: another environment is looked at", async () => {
    run.said.environments = { alpha: healthyStack(), beta: stackWith("redis", crashed) };
    await run.show();
    await reach(run.page.getByLabel("Environment"));
    await write("beta");
    await run.page.waitForURL("**/?environment=beta");
    await heading("redis is unhealthy");
    costs(7);
  });

  test("10: the place that a compiler named is opened", async () => {
    run.said.attached = [attachedRun()];
    await run.show();
    await press("g", "r");
    await heading("Reloads");
    await run.page.waitForSelector("[data-testid=feed][data-status=live]");
    run.upstream.tellRuns({ events: [refusedSave()] });
    await reach(run.page.locator("[data-testid=save] [data-testid=places] a").first());
    const where = await run.page.evaluate(() => document.activeElement.href);
    assert.equal(where, "vscode://file/home/ana/shop/cmd/api/main.go:12:3");
    costs(24);
  });

  test("11: a snapshot is saved and opened, and a line is looked for in it", async () => {
    run.said.lines = [lineOf(1, "api", "info"), lineOf(2, "redis", "error")];
    const { page } = run;
    const hasFocus = (name) =>
      page.waitForFunction(
        (text) => document.activeElement?.closest("label, button")?.textContent.startsWith(text),
        name,
      );
    await run.show();
    await press("Control+k");
    await write("save a");
    await press("Enter");
    await hasFocus("Save a snapshot");
    await press("Shift+Tab", "Space", "Tab");
    const download = page.waitForEvent("download");
    await press("Enter");
    const file = await (await download).path();
    // The browser is told beforehand that no window for files is to open.
    const chooser = page.waitForEvent("filechooser");
    await press("Control+k");
    await write("open a");
    await press("Enter");
    await hasFocus("Choose a file");
    await press("Space");
    await (await chooser).setFiles(file);
    await page.waitForSelector("[data-testid=snapshot]");
    await reach(page.getByLabel("Screens of the snapshot").getByRole("link", { name: "Logs" }));
    await press("Enter");
    await page.getByText("line 1 of api").waitFor();
    await press("/");
    await write("^line .*redis$");
    await press("Tab", "Space");
    await press("Shift+Tab", "Enter");
    await page.getByText("line 1 of api").waitFor({ state: "detached" });
    await page.getByText("line 2 of redis").waitFor();
    costs(45);
  });
});
