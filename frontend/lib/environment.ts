/** A name of an environment, as the api takes it. */
export const ENVIRONMENT = /^[a-z0-9-]{1,63}$/;

/** The environment that an address is about; undefined stands for the first that the api serves. */
export function environmentIn(
  query: Record<string, string | string[] | undefined>,
): string | undefined {
  const { environment } = query;
  return typeof environment === "string" && ENVIRONMENT.test(environment) ? environment : undefined;
}
