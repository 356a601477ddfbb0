import { load } from "@/lib/load";
import { ActivityClient } from "./client";
import { activityPath } from "./query-options";
import { activitySchema } from "./schema";
import { partOf } from "./search-params";

export default async function ActivityPage({ searchParams }: PageProps<"/activity">) {
  const part = partOf(await searchParams);
  const activity = await load(activityPath(part), activitySchema);
  return (
    <ActivityClient
      // Each part of the log is followed from what the server found of it.
      key={activityPath(part)}
      part={part}
      activity={activity}
      renderedAt={Date.now()}
    />
  );
}
