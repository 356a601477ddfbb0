import { expect, test } from "vitest";
import { forwardExport } from "./forward";
import { serveAPI, serveNothing } from "./testing";

const URL_OF = "http://localhost:3000/api/v1/logs/export?format=text";

test("200: a file comes through as the api writes it", async () => {
  await serveAPI((request, response) => {
    response.writeHead(200, {
      "content-type": "text/plain; charset=utf-8",
      "content-disposition": 'attachment; filename="logs.text"',
      "x-other": "stays away",
    });
    response.end(`${request.headers.cookie} asked for ${request.url}\n`);
  });
  const headers = { cookie: "zr_session=of-ana; a=b" };
  const response = await forwardExport(new Request(`${URL_OF}&service=api`, { headers }));
  expect(response.status).toBe(200);
  expect(response.headers.get("content-disposition")).toBe('attachment; filename="logs.text"');
  expect(response.headers.get("x-other")).toBeNull();
  expect(await response.text()).toBe(
    "zr_session=of-ana asked for /api/v1/logs/export?service=api&format=text\n",
  );
});

test("a file that breaks off is no whole one", async () => {
  await serveAPI((_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("a part");
    setImmediate(() => response.destroy());
  });
  const response = await forwardExport(new Request(URL_OF));
  await expect(response.text()).rejects.toThrow();
});

test("400: a query off the list never reaches the api", async () => {
  await serveNothing();
  const response = await forwardExport(new Request(`${URL_OF}&all=1`));
  expect(response.status).toBe(400);
});

test("401: the api wants to know who asks", async () => {
  await serveAPI((_, response) => response.writeHead(401).end('{"detail":"log in first"}'));
  const response = await forwardExport(new Request(URL_OF));
  expect(response.status).toBe(401);
});

test("502: nothing listens", async () => {
  await serveNothing();
  const response = await forwardExport(new Request(URL_OF));
  expect(response.status).toBe(502);
});
