import { expect, test } from "vitest";
import { aService } from "@/lib/stack/fixtures";
import { around, dependenciesOf } from "./dependencies";

const shop = [
  aService({ name: "web", dependsOn: ["api", "api"] }),
  aService({ name: "api", dependsOn: ["db", "gone", "api"] }),
  aService({ name: "db" }),
  aService({ name: "mail", dependsOn: ["queue"] }),
  aService({ name: "queue" }),
];

test("only those that are there depend on each other, each pair once", () => {
  expect(dependenciesOf(shop)).toEqual([
    { from: "web", to: "api" },
    { from: "api", to: "db" },
    { from: "mail", to: "queue" },
  ]);
});

test("around a service is all that it needs and all that need it, over others too", () => {
  const names = (name: string) => around(name, shop).map((each) => each.name);
  expect(names("api")).toEqual(["web", "api", "db"]);
  expect(names("db")).toEqual(["web", "api", "db"]);
  expect(names("queue")).toEqual(["mail", "queue"]);
  expect(names("nobody")).toEqual([]);
});

test("services that need each other end the walk", () => {
  const both = [
    aService({ name: "a", dependsOn: ["b"] }),
    aService({ name: "b", dependsOn: ["a"] }),
  ];
  expect(around("a", both)).toHaveLength(2);
});
