/** A key of its own for a request to change something, under which the api does it once. */
export function requestKey(): string {
  // Not randomUUID, which browsers have on secure origins only.
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
}
