import { load } from "@/lib/load";
import { ServicesClient } from "./client";
import { historyPath, servicesPath } from "./query-options";
import { historySchema, servicesSchema } from "./schema";

/** Health is of now: never built in advance, never from a cache. */
export const dynamic = "force-dynamic";

export default async function ServicesPage() {
  const [services, history] = await Promise.all([
    load(servicesPath, servicesSchema),
    load(historyPath, historySchema),
  ]);
  return <ServicesClient services={services} history={history} renderedAt={Date.now()} />;
}
