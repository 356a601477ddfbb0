import { expect, test } from "vitest";
import { randomOf } from "@/lib/testing";
import { type ConfigurationPart, partOf, placeOf, tabs, views } from "./search-params";

function randomPart(random: () => number): ConfigurationPart {
  const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;
  const revision = random() < 0.5 ? 1 + Math.floor(random() * 1_000) : undefined;
  return {
    environment: undefined,
    tab: pick(tabs),
    view: pick(views),
    revision,
    against: revision && random() < 0.5 ? revision + 1 : undefined,
    cursor: random() < 0.5 ? `c/${random()}&=` : undefined,
  };
}

test("every state is an address, and is read from it again", () => {
  const random = randomOf(7);
  for (let i = 0; i < 500; i++) {
    const part = randomPart(random);
    const { searchParams } = new URL(placeOf(part), "http://localhost");
    expect(partOf(Object.fromEntries(searchParams))).toEqual(part);
  }
});

test.each([
  [{ tab: "elsewhere" }, { tab: "settings" }],
  [{ view: ["text", "form"] }, { view: "form" }],
  [{ revision: "-1" }, { revision: undefined }],
  [{ revision: "12; drop" }, { revision: undefined }],
  [{ against: "3" }, { against: undefined }],
  [
    { revision: "3", against: "3" },
    { revision: 3, against: undefined },
  ],
  [{ environment: "../x" }, { environment: undefined }],
])("of %o that is left out which is not understood", (query, part) => {
  expect(partOf(query)).toMatchObject(part);
});
