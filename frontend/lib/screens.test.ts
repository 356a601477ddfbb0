import { expect, test } from "vitest";
import { historyScreenPath, servicePath } from "./screens";

test.each([
  [{}, "/history"],
  [{ service: "" }, "/history"],
  [{ service: "api" }, "/history?service=api"],
  [{ service: "api", cursor: "a/b+c" }, "/history?service=api&cursor=a%2Fb%2Bc"],
])("the history of %o is at %s", (part, path) => {
  expect(historyScreenPath(part)).toBe(path);
});

test("a name cannot leave the folder of services", () => {
  expect(servicePath("../history?x")).toBe("/services/..%2Fhistory%3Fx");
});
