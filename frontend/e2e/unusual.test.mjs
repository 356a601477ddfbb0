// Environments that are unusual: names as long as they may be, many of everything, nothing.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clippedParts, complaintsOf } from "./support/browser.mjs";
import { hoursAgo, someConfiguration } from "./support/configuration.mjs";
import { processorOf } from "./support/processor.mjs";
import { attachedRun, save } from "./support/run-events.mjs";
import { scripted } from "./support/scripted.mjs";
import { past, service } from "./support/upstream.mjs";

/** As long as Kubernetes takes it, with places to break it and without. */
const LONG = "a-service-with-a-name-".repeat(3).slice(0, 63);
const UNBROKEN = "aservicewithoutaplacetobreakits".repeat(3).slice(0, 63);

/** The processor of three seconds in which nothing but the ages changes, in milliseconds. */
const MOST_OF_AGES_MS = 1_000;

const screens = {
  "/": `[data-testid=service-${LONG}]`,
  "/?view=graph": `[data-testid=node-${LONG}]`,
  [`/services/${UNBROKEN}`]: `[data-testid=container-${UNBROKEN}]`,
  "/logs": "[data-testid=line]",
  "/uptime": `[data-testid=uptime-${LONG}]`,
  [`/uptime?service=${LONG}`]: "[data-testid=service-health]",
  "/reloads": "[data-testid=save]",
  "/configuration": "h1",
  "/configuration?tab=revisions": "[data-testid=revisions]",
  "/configuration?tab=secrets": "h1",
  "/setup": "[data-testid=checklist]",
  "/history": "[data-testid=history]",
  "/activity": "[data-testid=records]",
};

describe("what is unusual", () => {
  const run = scripted({ loggedIn: true });

  const outage = (of, i) => ({
    ...{ service: of, from: hoursAgo((i + 1) / 60), to: hoursAgo(i / 60), seconds: 60 },
    ...{ reason: "crash", message: "exit code 1", end: "healthy" },
  });

  function fill(names) {
    const at = hoursAgo(1);
    const services = names.map((name, i) =>
      service(name, i % 2 ? "StatefulSet" : "Deployment", {
        image: `registry.example/a/folder/of/images/${name}@sha256:${"0be3914d55af".repeat(5)}`,
        build: "0123456789abcdef".repeat(4),
        ...{ ready: 99_999, desired: 100_000, restarts: 1_234_567, startedAt: hoursAgo(200_000) },
        measured: { status: "ok", latencyMs: 59_999.4 },
        dependsOn: i > 0 ? [names[Math.floor(i / 3)]] : [],
        ...(i === 0 && { state: "unhealthy", reason: { code: "crash", message: UNBROKEN } }),
      }),
    );
    Object.assign(run.said, {
      services,
      past: names.map((name) => past(name)),
      outages: Array.from({ length: 100 }, (_, i) => outage(names[i % names.length], i)),
      configuration: {
        ...someConfiguration(),
        settings: { ["A_LONG_NAME_".repeat(8)]: UNBROKEN.repeat(9), EMPTY: "" },
      },
      events: names.slice(0, 9).map((name, i) => ({
        ...{ id: i + 1, service: name, state: "unhealthy", previous: "healthy", at },
        message: UNBROKEN.repeat(4),
      })),
      lines: names.slice(0, 9).map((name, i) => ({
        ...{ id: String(i + 1), time: at, service: name, level: "error", message: UNBROKEN },
      })),
      counts: [{ at, level: "error", lines: 1_234_567 }],
      records: names.slice(0, 9).map((name, i) => ({
        ...{ id: i + 1, at, actor: `${LONG}@${LONG}.example`, action: "restart", target: name },
        ...{ outcome: "refused", detail: UNBROKEN },
      })),
      attached: [attachedRun({ actions: ["apply", "examine", "propose"], folder: `/${UNBROKEN}` })],
      runEvents: [save({ service: names[0], paths: [`${UNBROKEN}/main.go`] })],
      findings: [
        {
          ...{ name: "container engine", status: "fail", detail: UNBROKEN.repeat(3) },
          command: `docker run ${"--flag ".repeat(30)}${UNBROKEN}`,
        },
      ],
      told: [{ at, warning: true, object: `Pod/${LONG}`, reason: "BackOff", message: UNBROKEN }],
    });
  }

  for (const [path, shown] of Object.entries(screens)) {
    test(`${path.replace(/[a-z-]{63}/, "…")}: names of 63 characters and large numbers have room, and nothing is cut off`, async () => {
      fill([LONG, UNBROKEN, "x"]);
      const { page } = run;
      const complaints = complaintsOf(page, run.dashboard.url);
      for (const width of [1280, 1024, 768, 360]) {
        await page.setViewportSize({ width, height: 800 });
        await run.show(path);
        // The graph is a list where it has no room.
        await page.waitForSelector(shown, { state: "attached" });
        assert.deepEqual(await clippedParts(page), [], `${width} px`);
      }
      assert.deepEqual(complaints, []);
    });
  }

  test("the screen that is shown is seen in the navigation of a narrow page", async () => {
    fill(["x"]);
    const { page } = run;
    await page.setViewportSize({ width: 360, height: 740 });
    for (const [path, name] of [
      ["/activity", "Activity"],
      ["/", "Services"],
    ]) {
      await run.show(path);
      const screens = page.getByRole("navigation", { name: "Screens" });
      const box = await screens.getByRole("link", { name }).boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= 360, `${name} is at ${box.x}`);
    }
  });

  test("300 services with 100 outages cost little while nothing but the ages changes", async () => {
    fill(Array.from({ length: 300 }, (_, i) => `service-${i}`));
    const { page } = run;
    await run.show("/uptime");
    const outages = page.getByTestId("outages");
    await outages.waitFor();
    const second = () => page.evaluate(() => new Promise((done) => setTimeout(done, 1_000)));
    await second();
    const processor = await processorOf(page);
    await processor();
    for (let i = 0; i < 3; i++) {
      await second();
    }
    const took = await processor();
    assert.ok(took < MOST_OF_AGES_MS, `three seconds took ${took} ms of the processor`);
    assert.equal(await outages.locator("> li").count(), 100);
    await page.getByText("the newest 100 of this time").waitFor();
  });

  test("where there is nothing each screen says so, and what comes then", async () => {
    const { page, said } = run;
    Object.assign(said, {
      services: [],
      configuration: { ...someConfiguration(), settings: {}, revisions: [], secrets: [] },
    });
    const complaints = complaintsOf(page, run.dashboard.url);
    for (const [path, words] of [
      ["/", "Nothing runs here yet"],
      ["/?view=graph", "Nothing runs here yet"],
      ["/logs", "Nothing has been written yet"],
      ["/uptime", "Nothing was seen in the last seven days"],
      ["/configuration", "There are no settings yet"],
      ["/history", "Nothing has changed yet"],
    ]) {
      await run.show(path);
      await page.getByText(words).first().waitFor();
    }
    assert.deepEqual(complaints, []);
  });
});
