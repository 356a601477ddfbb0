import { attachedPath } from "@/lib/dev/queries";
import { attachedSchema } from "@/lib/dev/schema";
import { environmentIn } from "@/lib/environment";
import { load } from "@/lib/load";
import { servicesPath } from "@/lib/stack/queries";
import { servicesSchema } from "@/lib/stack/schema";
import { SetupClient } from "./client";

export default async function SetupPage({ searchParams }: PageProps<"/setup">) {
  const environment = environmentIn(await searchParams);
  const [services, attached] = await Promise.all([
    load(servicesPath(environment), servicesSchema),
    load(attachedPath(environment), attachedSchema),
  ]);
  return (
    <SetupClient
      // Nothing of one environment is kept for the next.
      key={environment}
      environment={environment}
      services={services}
      attached={attached}
      renderedAt={Date.now()}
    />
  );
}
