import { expect, test } from "vitest";
import { partOf } from "./search-params";

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
