/** Names as one says them: "api", "api and frontend", "api, frontend, and redis". */
export function listed(names: string[]): string {
  return new Intl.ListFormat("en").format(names);
}
