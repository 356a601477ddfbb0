import type { Overview } from "@/lib/stack/overview";
import type { Service } from "@/lib/stack/schema";
import type { UptimeSummary } from "@/lib/stack/uptime";
import { ServiceRows } from "./service-rows";
import { head, lastIfNarrow, notWidest, wide, widest } from "./service-table-layout";

/** Every service in the order of the api, which stays the same, so that each keeps its row. */
export function ServiceTable({
  services,
  past,
  overview,
  now,
  known,
}: {
  services: Service[];
  /** How they were in the last hour, where that is known. */
  past?: UptimeSummary[];
  /** What they use and what changed them last, where that is known. */
  overview?: Overview["services"];
  now: number;
  /** Colourless where not: this is what was, not what is. */
  known: boolean;
}) {
  const pasts = new Map(past?.map((each) => [each.service, each]));
  const overviews = new Map(overview?.map((each) => [each.name, each]));
  return (
    <table className={`w-full border-collapse ${known ? "" : "grayscale"}`}>
      <thead className="text-muted text-xs">
        <tr>
          <th scope="col" className={head}>
            Name
          </th>
          <th scope="col" className={head}>
            State
          </th>
          <th scope="col" className={`${head} ${wide}`}>
            Last hour
          </th>
          <th scope="col" className={`${head} ${lastIfNarrow} text-right`}>
            Pods
          </th>
          <th scope="col" className={`${head} ${wide} text-right`}>
            Restarts
          </th>
          <th scope="col" className={`${head} ${wide} text-right`}>
            Latency
          </th>
          <th scope="col" className={`${head} ${widest} text-right`}>
            CPU, memory
          </th>
          <th scope="col" className={`${head} ${widest}`}>
            Last change
          </th>
          <th scope="col" className={`${head} ${notWidest}`}>
            Build
          </th>
          <th scope="col" className={`${head} ${notWidest} text-right`}>
            Up
          </th>
          <th scope="col" className={`${head} ${wide}`}>
            <span className="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      {services.map((service) => (
        <ServiceRows
          key={service.name}
          service={service}
          past={pasts.get(service.name)}
          overview={overviews.get(service.name)}
          now={now}
        />
      ))}
    </table>
  );
}
