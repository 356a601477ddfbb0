// The dashboard of a stack that runs, in a real browser.
//
//   BASE_URL         where it is, for example http://localhost:3000
//   EXPECT_SERVICES  the services that must be there, separated by commas

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  accessibilityViolations,
  clippedParts,
  complaintsOf,
  launch,
  newContext,
  open,
  showsState,
  takenOver,
} from "./support/browser.mjs";
import { ask, beginHeaders } from "./support/raw-http.mjs";

const { BASE_URL, EXPECT_SERVICES = "" } = process.env;
const expected = EXPECT_SERVICES.split(",").filter(Boolean);

/** A stack that is up stays so; one that was measured for a minute has this long, in milliseconds. */
const HEALTHY_TIMEOUT = 60_000;
const MEASURED_TIMEOUT = 180_000;

describe("the dashboard of a running stack", { skip: !BASE_URL && "BASE_URL is not set" }, () => {
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  async function visit(t, options, path = "/") {
    const context = await newContext(browser, options);
    t.after(() => context.close());
    const page = await context.newPage();
    const complaints = complaintsOf(page, BASE_URL);
    await open(page, new URL(path, BASE_URL).href);
    return { page, complaints };
  }

  test("/health answers for the process itself", async () => {
    const response = await fetch(new URL("/health", BASE_URL));
    assert.equal(response.status, 200);
    const { status, build, version } = await response.json();
    assert.equal(status, "ok");
    assert.equal(typeof build, "string");
    assert.match(version, /^\d+\.\d+\.\d+$/);
  });

  test("the server turns away what it must not see", async () => {
    assert.equal((await ask(BASE_URL, { host: "evil.example" })).status, 421);
    assert.equal((await ask(BASE_URL, { method: "TRACE" })).status, 405);
    assert.match(await beginHeaders(BASE_URL), /408 Request Timeout/);
  });

  test("the server renders the services without the browser's help", async () => {
    const html = await (await fetch(BASE_URL)).text();
    for (const name of expected) {
      assert.ok(html.includes(`data-testid="service-${name}"`), `${name} is not in the page`);
    }
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`all services are healthy, in a ${colorScheme} page without faults`, async (t) => {
      const { page, complaints } = await visit(t, { colorScheme });
      for (const name of expected) {
        await showsState(page, name, "healthy", HEALTHY_TIMEOUT);
      }
      const shown = await page.locator("[data-testid^='service-']").count();
      assert.equal(shown, expected.length);
      await page.waitForSelector("[data-testid=summary][data-state=healthy]");
      await page.waitForSelector("[data-testid=freshness][data-freshness=live]");
      assert.deepEqual(await accessibilityViolations(page), []);
      assert.deepEqual(complaints, []);
    });
  }

  for (const colorScheme of ["light", "dark"]) {
    test(`the graph shows who needs whom, in a ${colorScheme} page without faults`, async (t) => {
      const { page, complaints } = await visit(t, { colorScheme });
      await takenOver(page);
      await page.getByRole("button", { name: "Graph" }).press("Enter");
      await page.waitForURL("**/?view=graph");
      for (const name of expected) {
        await page.waitForSelector(`[data-testid=node-${name}][data-state=healthy]`);
      }
      assert.ok((await page.locator("[data-testid=dependency]").count()) > 0);
      assert.deepEqual(await accessibilityViolations(page), []);
      assert.deepEqual(complaints, []);
    });

    test(`the page of each service has its pods, in a ${colorScheme} page without faults`, async (t) => {
      const { page, complaints } = await visit(t, { colorScheme });
      await takenOver(page);
      for (const name of expected) {
        await page.keyboard.press("Control+k");
        await page.keyboard.type(name);
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
        await page.waitForSelector("[data-testid=detail][data-state=healthy]");
        await page
          .getByText(/^Running, ready/)
          .first()
          .waitFor();
        await page
          .locator("[data-testid=events] li")
          .or(page.getByText("Kubernetes tells of nothing."))
          .first()
          .waitFor();
        assert.deepEqual(await accessibilityViolations(page), [], name);
      }
      assert.deepEqual(complaints, []);
    });

    test(`the health of all services and of each, in a ${colorScheme} page without faults`, async (t) => {
      const { page, complaints } = await visit(t, { colorScheme }, "/uptime?window=1h");
      await takenOver(page);
      for (const name of expected) {
        await page.waitForSelector(`[data-testid=uptime-${name}][data-state=healthy]`, {
          timeout: HEALTHY_TIMEOUT,
        });
      }
      assert.deepEqual(await accessibilityViolations(page), []);
      for (const name of expected) {
        await page.selectOption("label select", name);
        await page.waitForURL(`**/uptime?service=${name}&window=1h`);
        await page.getByRole("heading", { name: `${name} in the last 1 h` }).waitFor();
        assert.deepEqual(await accessibilityViolations(page), [], name);
      }
      assert.deepEqual(complaints, []);
    });

    test(`the history of one service has only its changes, in a ${colorScheme} page without faults`, async (t) => {
      const [name] = expected;
      const options = { colorScheme };
      const { page, complaints } = await visit(t, options, `/history?service=${name}`);
      await page.waitForSelector("[data-testid=history] li");
      const of = await page.locator("[data-testid=history] li .font-medium").allTextContents();
      assert.deepEqual([...new Set(of)], [name]);
      assert.deepEqual(await accessibilityViolations(page), []);
      assert.deepEqual(complaints, []);
    });
  }

  test("the activity is shown to nobody who is not logged in", async (t) => {
    const { page } = await visit(t, {}, "/activity");
    await page.waitForSelector("[data-testid=problem][data-code=not_logged_in]");
    assert.deepEqual(await accessibilityViolations(page), []);
  });

  test("no script runs but the dashboard's own", async (t) => {
    const { page } = await visit(t);
    await page.waitForSelector("[data-testid=summary]");
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "globalThis.inlineRan = true";
      document.body.append(script);
      return globalThis.inlineRan === true;
    });
    assert.equal(ran, false);
  });

  test("an address of nothing is a 404 that leads back, and a service of nobody says so", async (t) => {
    // The page of all components is one of a development build.
    for (const path of ["/no/such/page", "/gallery"]) {
      assert.equal((await fetch(new URL(path, BASE_URL))).status, 404, path);
    }
    const { page } = await visit(t, {}, "/no/such/page");
    await page.click("text=Show all services");
    await page.waitForSelector("[data-testid=summary]");
    await open(page, new URL("/services/nobody", BASE_URL).href);
    await page.waitForSelector("[data-testid=nothing-here]");
  });

  for (const [path, shown] of [
    ["/", "[data-testid=summary]"],
    ["/uptime", "[data-testid^=uptime-]"],
    ["/uptime?service=redis", "[data-testid=service-health]"],
  ]) {
    test(`${path} fits a narrow screen`, async (t) => {
      const { page } = await visit(t, { viewport: { width: 320, height: 640 } }, path);
      await page.waitForSelector(shown);
      assert.deepEqual(await clippedParts(page), []);
      assert.deepEqual(await accessibilityViolations(page), []);
    });
  }

  test("redis has the latencies that the api measures, and its last hour leads there", async (t) => {
    const { page } = await visit(t);
    await takenOver(page);
    await page.click("[data-testid=service-redis] td a");
    await page.waitForURL("**/uptime?service=redis&window=1h");
    // Questions are told a minute at a time.
    await page.waitForSelector("[data-testid=latency-chart] path[d^=M]", {
      state: "attached",
      timeout: MEASURED_TIMEOUT,
    });
    assert.match(
      await page.locator("[data-testid=service-health]").textContent(),
      /95 % within[\d.]+ m?s/,
    );
  });

  test("the keyboard pauses and resumes it", async (t) => {
    const { page } = await visit(t);
    const pause = page.locator("[data-testid=pause]");
    await pause.waitFor();
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press("Tab");
      if (await pause.evaluate((button) => button === document.activeElement)) {
        break;
      }
    }
    await page.keyboard.press("Space");
    await page.waitForSelector("[data-testid=freshness][data-freshness=paused]");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-testid=freshness][data-freshness=live]");
  });

  test("only listed paths of the api are forwarded", async () => {
    const response = await fetch(new URL("/api/v1/anything-else", BASE_URL));
    assert.equal(response.status, 404);
    assert.equal((await response.json()).error.code, "not_forwarded");
  });
});
