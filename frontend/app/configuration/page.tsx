import { hasSession, load } from "@/lib/load";
import { failed } from "@/lib/problem";
import { ConfigurationClient } from "./client";
import { settingsPath } from "./query-options";
import { settingsSchema } from "./schema";
import { partOf } from "./search-params";

export default async function ConfigurationPage({ searchParams }: PageProps<"/configuration">) {
  const part = partOf(await searchParams);
  // The api records each refusal: who has no session need not ask.
  const settings = (await hasSession())
    ? await load(settingsPath(part.environment), settingsSchema)
    : failed("not_logged_in", "this browser has no session of the api");
  return (
    <ConfigurationClient
      // Nothing of one environment is kept for the next.
      key={part.environment}
      part={part}
      settings={settings}
      renderedAt={Date.now()}
    />
  );
}
