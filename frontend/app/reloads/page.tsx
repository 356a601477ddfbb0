import { attachedPath, eventsPath, metricsPath } from "@/lib/dev/queries";
import { attachedSchema, deliverySchema, runEventsSchema } from "@/lib/dev/schema";
import { load } from "@/lib/load";
import { ReloadsClient } from "./client";
import { partOf, savesOf } from "./part";

export default async function ReloadsPage({ searchParams }: PageProps<"/reloads">) {
  const part = partOf(await searchParams);
  const [attached, saves, metrics] = await Promise.all([
    load(attachedPath(part.environment), attachedSchema),
    load(eventsPath(savesOf(part)), runEventsSchema),
    load(metricsPath(part), deliverySchema),
  ]);
  return (
    <ReloadsClient
      // Each part is followed from what the server found of it.
      key={`${eventsPath(savesOf(part))} ${metricsPath(part)}`}
      part={part}
      attached={attached}
      saves={saves}
      metrics={metrics}
      renderedAt={Date.now()}
    />
  );
}
