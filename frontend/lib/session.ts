/** The cookie of the api's session. The browser has it from the api, whose host is the dashboard's too. */
export const SESSION_COOKIE = "zr_session";

/** The session in a Cookie header. Of all that a browser sends, only this goes on to the api. */
export function sessionIn(cookies: string | null): string | undefined {
  return new RegExp(`(?:^|;\\s*)${SESSION_COOKIE}=([\\w-]+=*)(?:;|$)`).exec(cookies ?? "")?.[1];
}
