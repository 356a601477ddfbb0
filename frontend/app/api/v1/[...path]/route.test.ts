import { expect, test } from "vitest";
import { serveAPI } from "@/lib/testing";
import * as route from "./route";

test("only GET, POST and PUT are forwarded", () => {
  const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
  expect(methods.filter((method) => method in route)).toEqual(["GET", "POST", "PUT"]);
});

test("GET answers with the api's document", async () => {
  await serveAPI((_, response) => {
    response.end('{"services":[]}');
  });
  const response = await route.GET(new Request("http://localhost:3000/api/v1/services"));
  expect(await response.json()).toEqual({ services: [] });
});
