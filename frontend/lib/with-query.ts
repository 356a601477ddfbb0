/** A path, which may have a query, with those parameters that have a text. */
export function withQuery(path: string, parameters: Record<string, string | undefined>): string {
  const [bare = "", given] = path.split("?");
  const query = new URLSearchParams(given);
  for (const [name, value] of Object.entries(parameters)) {
    if (value) {
      query.set(name, value);
    }
  }
  return query.size > 0 ? `${bare}?${query}` : bare;
}
