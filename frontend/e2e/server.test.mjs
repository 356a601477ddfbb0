// What the dashboard's server turns away, under `next dev`.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startNextDev } from "./support/next-server.mjs";
import { ask, beginHeaders } from "./support/raw-http.mjs";

describe("the server of the dashboard", () => {
  let dashboard;
  before(async () => {
    dashboard = await startNextDev();
  });
  after(() => dashboard?.stop());

  test("pages and static files are not answered under a name of somebody else", async () => {
    const page = await ask(dashboard.url, {});
    assert.equal(page.status, 200);
    const [chunk] = /\/_next\/static\/[^"?]+\.js/.exec(page.text);
    for (const path of ["/", chunk]) {
      const url = new URL(path, dashboard.url);
      assert.equal((await ask(url, {})).status, 200, path);
      assert.equal((await ask(url, { host: "evil.example" })).status, 421, path);
    }
  });

  test("TRACE is a method that is not taken", async () => {
    for (const path of ["/", "/health", "/api/v1/services"]) {
      const { status } = await ask(new URL(path, dashboard.url), { method: "TRACE" });
      assert.equal(status, 405, path);
    }
  });

  test("headers that do not end are not waited for", async () => {
    assert.match(await beginHeaders(dashboard.url), /408 Request Timeout/);
  });
});
