import { load } from "@/lib/load";
import { historyPath, servicesPath } from "@/lib/stack/queries";
import { historySchema, servicesSchema } from "@/lib/stack/schema";
import { changesOf } from "./changes-of";
import { ServiceClient } from "./client";

export default async function ServicePage({ params }: PageProps<"/services/[name]">) {
  const name = decodeURIComponent((await params).name);
  const [services, history] = await Promise.all([
    load(servicesPath, servicesSchema),
    load(historyPath(changesOf(name)), historySchema),
  ]);
  return (
    <ServiceClient
      // Nothing of one service is kept for the next.
      key={name}
      name={name}
      services={services}
      history={history}
      renderedAt={Date.now()}
    />
  );
}
