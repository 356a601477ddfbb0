import { load } from "@/lib/load";
import { servicesPath } from "@/lib/stack/queries";
import { servicesSchema } from "@/lib/stack/schema";
import { reportPath, reportSchema, uptimePath, uptimeSchema } from "@/lib/stack/uptime";
import { HealthClient } from "./client";
import { partOf } from "./part";

export default async function HealthPage({ searchParams }: PageProps<"/uptime">) {
  const part = partOf(await searchParams);
  const [services, uptime, report] = await Promise.all([
    load(servicesPath(part.environment), servicesSchema),
    load(uptimePath(part), uptimeSchema),
    part.service ? load(reportPath(part.service, part), reportSchema) : undefined,
  ]);
  return (
    <HealthClient
      // Each part of the past is followed from what the server found of it.
      key={`${uptimePath(part)} ${part.service}`}
      part={part}
      services={services}
      uptime={uptime}
      report={report}
      renderedAt={Date.now()}
    />
  );
}
