/** The longest folder of a project, as the api takes it. */
export const MAX_FOLDER = 512;

/** The folder that an address asks the lines of; "" where it asks for none. */
export function folderIn(query: { folder?: string | string[] }): string {
  const { folder } = query;
  return typeof folder === "string" && folder.length <= MAX_FOLDER ? folder : "";
}
