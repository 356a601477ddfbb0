/** What the screens read off an address in the same way. What the api would refuse is left out. */
export type Query = Record<string, string | string[] | undefined>;

/** A name of a service, as the api takes it. */
export const SERVICE_NAME = /^[a-z0-9.-]{1,253}$/;

/** The longest cursor, as the api takes it. */
export const MAX_CURSOR = 64;

/** The one service that an address is about. */
export function serviceIn({ service }: Query): string | undefined {
  return typeof service === "string" && SERVICE_NAME.test(service) ? service : undefined;
}

/** Where a page begins. */
export function cursorIn({ cursor }: Query): string | undefined {
  const fits = typeof cursor === "string" && cursor !== "" && cursor.length <= MAX_CURSOR;
  return fits ? cursor : undefined;
}
