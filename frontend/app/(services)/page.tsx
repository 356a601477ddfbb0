import { environmentIn } from "@/lib/environment";
import { hasSession, load } from "@/lib/load";
import { historyPath, servicesPath } from "@/lib/stack/queries";
import { historySchema, servicesSchema } from "@/lib/stack/schema";
import { ServicesClient } from "./client";
import { recentChanges } from "./recent-changes";

export default async function ServicesPage({ searchParams }: PageProps<"/">) {
  const environment = environmentIn(await searchParams);
  const [services, history] = await Promise.all([
    load(servicesPath(environment), servicesSchema),
    load(historyPath(recentChanges(environment)), historySchema),
  ]);
  return (
    <ServicesClient
      // Nothing of one environment is kept for the next.
      key={environment}
      environment={environment}
      loggedIn={await hasSession()}
      services={services}
      history={history}
      renderedAt={Date.now()}
    />
  );
}
