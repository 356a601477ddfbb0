import { load } from "@/lib/load";
import { historyPath, servicesPath } from "@/lib/stack/queries";
import { historySchema, servicesSchema } from "@/lib/stack/schema";
import { ServicesClient } from "./client";
import { recentChanges } from "./recent-changes";

export default async function ServicesPage() {
  const [services, history] = await Promise.all([
    load(servicesPath, servicesSchema),
    load(historyPath(recentChanges), historySchema),
  ]);
  return <ServicesClient services={services} history={history} renderedAt={Date.now()} />;
}
