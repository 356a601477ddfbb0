import { expect, test } from "vitest";
import { GET } from "./route";

async function markOf(cookie?: string): Promise<string | null> {
  const response = GET(
    new Request("http://localhost/session", { headers: cookie ? { cookie } : {} }),
  );
  expect(response.headers.get("cache-control")).toBe("no-store");
  return (await response.json()).mark;
}

test("200 with a mark that tells sessions apart and shows none", async () => {
  const [one, same, other] = await Promise.all([
    markOf("zr_session=planted-1"),
    markOf("a=b; zr_session=planted-1"),
    markOf("zr_session=planted-2"),
  ]);
  expect(one).toMatch(/^[0-9a-f]{16}$/);
  expect(same).toBe(one);
  expect(other).not.toBe(one);
});

test("200 with none where the browser has no session", async () => {
  expect(await markOf()).toBeNull();
  expect(await markOf("theme=dark")).toBeNull();
});
