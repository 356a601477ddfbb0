import { latency, span } from "@/lib/time";
import type { Service, State } from "../schema";
import { shortImage } from "./image-name";
import { reasonText } from "./reason-text";
import { cell, columnCount, figure, lastIfNarrow, wide } from "./service-table-layout";
import { StateBadge } from "./state";

const BUILD_SHOWN = 8;

const reasonColor: Record<State, string> = {
  healthy: "border-healthy",
  starting: "border-starting",
  unhealthy: "border-unhealthy",
  pending: "border-pending",
};

/** One service: a row of figures, and a row for the reason where it has one. */
export function ServiceRows({ service, now }: { service: Service; now: number }) {
  const { name, state, reason, restarts, build, measured } = service;
  const up = service.startedAt && span(now - Date.parse(service.startedAt));
  return (
    <tbody
      data-testid={`service-${name}`}
      data-state={state}
      className="border-line border-t hover:bg-canvas/60"
    >
      <tr>
        <th scope="row" className={`${cell} text-left font-normal`}>
          <span className="font-medium">{name}</span>
          <Origin service={service} up={up} />
        </th>
        <td className={figure}>
          <StateBadge state={state} />
        </td>
        <td className={`${figure} ${lastIfNarrow} text-right`}>
          {service.kind ? `${service.ready}/${service.desired}` : <None />}
        </td>
        <td className={`${figure} ${wide} text-right ${restarts === 0 ? "text-muted" : ""}`}>
          {restarts}
        </td>
        <td className={`${figure} ${wide} text-right`}>
          {measured?.latencyMs ? latency(measured.latencyMs) : <None />}
        </td>
        <td className={`${figure} ${wide} font-mono text-xs leading-5`} title={build || undefined}>
          {build ? build.slice(0, BUILD_SHOWN) : <None />}
        </td>
        <td className={`${figure} ${wide} text-right`}>
          {up ? (
            <time dateTime={service.startedAt} title={service.startedAt}>
              {up}
            </time>
          ) : (
            <None />
          )}
        </td>
      </tr>
      {reason && (
        <tr>
          <td colSpan={columnCount} className="px-4 pb-3">
            <p
              data-testid="reason"
              className={`wrap-anywhere border-l-2 pl-3 text-xs ${reasonColor[state]}`}
            >
              <strong className="font-semibold">{reasonText(reason.code)}</strong>
              {" · "}
              {reason.message}
            </p>
          </td>
        </tr>
      )}
    </tbody>
  );
}

/** What the service is made of; on a narrow screen also what has no column there. */
function Origin({ service, up }: { service: Service; up: string | undefined }) {
  const { kind, image, restarts } = service;
  const narrow = [
    up && `up ${up}`,
    restarts > 0 && `${restarts} ${restarts === 1 ? "restart" : "restarts"}`,
  ].filter(Boolean);
  return (
    <span className="block text-muted text-xs md:whitespace-nowrap" title={image || undefined}>
      {kind || "Not seen by Kubernetes"}
      {image && (
        <span className="hidden md:inline">
          {" · "}
          <span className="font-mono">{shortImage(image)}</span>
        </span>
      )}
      {narrow.length > 0 && <span className="block sm:hidden">{narrow.join(" · ")}</span>}
    </span>
  );
}

function None() {
  return (
    <span className="font-sans text-muted">
      <span aria-hidden="true">–</span>
      <span className="sr-only">none</span>
    </span>
  );
}
