import { load } from "@/lib/load";
import { historyPath, servicesPath } from "@/lib/stack/queries";
import { historySchema, servicesSchema } from "@/lib/stack/schema";
import { HistoryClient } from "./client";
import { partOf } from "./part";

export default async function HistoryPage({ searchParams }: PageProps<"/history">) {
  const part = partOf(await searchParams);
  const [services, history] = await Promise.all([
    load(servicesPath(part.environment), servicesSchema),
    load(historyPath(part), historySchema),
  ]);
  return (
    <HistoryClient
      // Each part of the history is followed from what the server found of it.
      key={historyPath(part)}
      part={part}
      services={services}
      history={history}
      renderedAt={Date.now()}
    />
  );
}
