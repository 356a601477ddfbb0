import { environmentIn } from "@/lib/environment";
import { hasSession, load } from "@/lib/load";
import { historyPath, servicesPath } from "@/lib/stack/queries";
import { historySchema, servicesSchema } from "@/lib/stack/schema";
import { changesOf } from "./changes-of";
import { ServiceClient } from "./client";

export default async function ServicePage({ params, searchParams }: PageProps<"/services/[name]">) {
  const environment = environmentIn(await searchParams);
  const name = decodeURIComponent((await params).name);
  const [services, history] = await Promise.all([
    load(servicesPath(environment), servicesSchema),
    load(historyPath(changesOf(name, environment)), historySchema),
  ]);
  return (
    <ServiceClient
      // Nothing of one service is kept for the next.
      key={`${environment}/${name}`}
      environment={environment}
      loggedIn={await hasSession()}
      name={name}
      services={services}
      history={history}
      renderedAt={Date.now()}
    />
  );
}
