import { useActions } from "@/components/actions/actions";
import { Button } from "@/components/button";
import { useGo } from "@/components/environment";
import { HealthStrip } from "@/components/health-strip";
import { ErrorsIcon, RestartIcon } from "@/components/icons";
import { Link } from "@/components/link";
import { None } from "@/components/none";
import { ReasonNote } from "@/components/reason-note";
import { StateBadge } from "@/components/state";
import { replacesInTurn, whyNot } from "@/lib/actions/actions";
import { ERRORS_MINUTES, errorsScreenPath, healthScreenPath, servicePath } from "@/lib/screens";
import { shortImage } from "@/lib/stack/image-name";
import type { ServiceOverview } from "@/lib/stack/overview";
import type { Service } from "@/lib/stack/schema";
import type { UptimeSummary } from "@/lib/stack/uptime";
import { stripLabel } from "@/lib/stack/uptime-text";
import { latency, span } from "@/lib/time";
import {
  cell,
  columnCount,
  figure,
  lastIfNarrow,
  notWidest,
  wide,
  widest,
} from "./service-table-layout";
import { LastChangeCell, UseCell } from "./use-cells";

const BUILD_SHOWN = 8;

/** One service: a row of figures, and a row for the reason where it has one. */
export function ServiceRows({
  service,
  past,
  overview,
  now,
}: {
  service: Service;
  past: UptimeSummary | undefined;
  overview: ServiceOverview | undefined;
  now: number;
}) {
  const { name, state, reason, restarts, build, measured } = service;
  const up = service.startedAt && span(now - Date.parse(service.startedAt));
  return (
    <tbody
      data-testid={`service-${name}`}
      data-state={state}
      className="border-line border-t hover:bg-canvas/60"
    >
      <tr>
        <th scope="row" className={`${cell} min-w-24 text-left font-normal`}>
          <Link
            href={servicePath(name)}
            className="wrap-anywhere font-medium underline-offset-4 hover:underline"
          >
            {name}
          </Link>
          <Origin service={service} up={up} />
        </th>
        <td className={figure}>
          <StateBadge state={state} />
          {up && <span className="hidden pl-5.5 text-muted text-xs xl:block">up {up}</span>}
        </td>
        <td className={`${figure} ${wide}`}>
          {past ? (
            <Link href={healthScreenPath({ service: name, window: "1h" })} className="block">
              <HealthStrip
                points={past.points}
                label={stripLabel(past, "1h")}
                className="mt-0.5 h-4 w-20"
              />
            </Link>
          ) : (
            <None />
          )}
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
        <td data-testid="use" className={`${figure} ${widest} text-right`}>
          <UseCell use={overview?.use} />
        </td>
        <td data-testid="last-change" className={`${figure} ${widest}`}>
          <LastChangeCell change={overview?.lastChange} now={now} />
        </td>
        <td
          className={`${figure} ${notWidest} font-mono text-xs leading-5`}
          title={build || undefined}
        >
          {build ? build.slice(0, BUILD_SHOWN) : <None />}
        </td>
        <td className={`${figure} ${notWidest} text-right`}>
          {up ? (
            <time dateTime={service.startedAt} title={service.startedAt}>
              {up}
            </time>
          ) : (
            <None />
          )}
        </td>
        <td className={`${figure} ${wide} w-0 text-right`}>
          <RowButtons service={service} now={now} />
        </td>
      </tr>
      {reason && (
        <tr>
          <td colSpan={columnCount} className="px-4 pb-3">
            <ReasonNote reason={reason} state={state} />
            {state === "unhealthy" && (
              <Link
                href={errorsScreenPath(name)}
                className="wrap-anywhere mt-1 inline-block text-accent text-xs underline-offset-4 hover:underline"
              >
                Error lines of {name}
              </Link>
            )}
          </td>
        </tr>
      )}
    </tbody>
  );
}

/** What is done most often with a service, and the way to all that can be done. */
function RowButtons({ service, now }: { service: Service; now: number }) {
  const { name } = service;
  const ask = useActions();
  const go = useGo();
  return (
    <span className="-my-1 inline-flex gap-1">
      <Button
        aria-label={`Errors of ${name} in the last ${ERRORS_MINUTES} minutes`}
        title={`Errors of the last ${ERRORS_MINUTES} minutes`}
        onClick={() => go(errorsScreenPath(name, now))}
        className={iconButton}
      >
        <ErrorsIcon />
      </Button>
      {ask && !whyNot("restart", service) && (
        <Button
          aria-label={`Restart ${name}`}
          title="Restart"
          onClick={() => ask({ service: name, action: "restart", atOnce: replacesInTurn(service) })}
          className={iconButton}
        >
          <RestartIcon />
        </Button>
      )}
      {ask && (
        <Button
          aria-label={`Actions of ${name}`}
          onClick={() => ask({ service: name })}
          className={iconButton}
        >
          ⋯
        </Button>
      )}
    </span>
  );
}

const iconButton = "w-7 justify-center px-0!";

/** What the service is made of; on a narrow screen also what has no column there. */
function Origin({ service, up }: { service: Service; up: string | undefined }) {
  const { kind, image, restarts } = service;
  const narrow = [
    up && `up ${up}`,
    restarts > 0 && `${restarts} ${restarts === 1 ? "restart" : "restarts"}`,
  ].filter(Boolean);
  return (
    <span className="wrap-anywhere block text-muted text-xs" title={image || undefined}>
      {kind || "Not seen by Kubernetes"}
      {image && (
        <span className="hidden md:inline">
          {" · "}
          <span className="font-mono">{shortImage(image)}</span>
        </span>
      )}
      {narrow.length > 0 && <span className="block lg:hidden">{narrow.join(" · ")}</span>}
    </span>
  );
}
