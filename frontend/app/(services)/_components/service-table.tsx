import type { Service } from "../schema";
import { ServiceRows } from "./service-rows";

const head = "px-3 py-2 text-left font-medium first:pl-4 last:pr-4";
const wide = "hidden sm:table-cell";

/** Every service in the order of the api, which stays the same, so that each keeps its place. */
export function ServiceTable({
  services,
  now,
  stale,
}: {
  services: Service[];
  now: number;
  /** Dimmed: this is what was, not what is. */
  stale: boolean;
}) {
  return (
    <table className={`w-full border-collapse transition-opacity ${stale ? "opacity-70" : ""}`}>
      <thead className="text-muted text-xs">
        <tr>
          <th scope="col" className={head}>
            Name
          </th>
          <th scope="col" className={head}>
            State
          </th>
          <th scope="col" className={`${head} text-right`}>
            Pods
          </th>
          <th scope="col" className={`${head} ${wide} text-right`}>
            Restarts
          </th>
          <th scope="col" className={`${head} ${wide} text-right`}>
            Latency
          </th>
          <th scope="col" className={`${head} ${wide}`}>
            Build
          </th>
          <th scope="col" className={`${head} ${wide} text-right`}>
            Up
          </th>
        </tr>
      </thead>
      {services.map((service) => (
        <ServiceRows key={service.name} service={service} now={now} />
      ))}
    </table>
  );
}
