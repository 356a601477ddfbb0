import type { ReactNode } from "react";
import { latency, span } from "@/lib/time";
import type { Service, State } from "../schema";
import { shortImage } from "./image-name";
import { StateBadge } from "./state";

const BUILD_SHOWN = 8;

const cell = "px-3 py-2.5 align-baseline first:pl-4 last:pr-4";
const wide = "hidden sm:table-cell";

const reasonColor: Record<State, string> = {
  healthy: "border-healthy",
  starting: "border-starting",
  unhealthy: "border-unhealthy",
  pending: "border-pending",
};

/** One service: a row of figures, and a row for the reason where it is not healthy. */
export function ServiceRows({ service, now }: { service: Service; now: number }) {
  const { name, kind, state, ready, desired, restarts, image, build, startedAt, check } = service;
  return (
    <tbody
      data-testid={`service-${name}`}
      data-state={state}
      className="border-line border-t hover:bg-canvas/60"
    >
      <tr>
        <th scope="row" className={`${cell} text-left font-normal`}>
          <span className="font-medium">{name}</span>
          <span className="mt-0.5 block text-muted text-xs" title={image || undefined}>
            {kind}
            {image && (
              <span className="hidden md:inline">
                {" · "}
                <span className="font-mono">{shortImage(image)}</span>
              </span>
            )}
          </span>
        </th>
        <td className={cell}>
          <StateBadge state={state} />
        </td>
        <td className={`${cell} text-right`}>
          {ready}/{desired}
        </td>
        <td className={`${cell} ${wide} text-right ${restarts === 0 ? "text-muted" : ""}`}>
          {restarts}
        </td>
        <td className={`${cell} ${wide} whitespace-nowrap text-right`}>
          {check ? latency(check.latencyMs) : <None />}
        </td>
        <td className={`${cell} ${wide} font-mono text-xs`} title={build || undefined}>
          {build ? build.slice(0, BUILD_SHOWN) : <None />}
        </td>
        <td className={`${cell} ${wide} whitespace-nowrap text-right`}>
          {startedAt ? (
            <time dateTime={startedAt} title={startedAt}>
              {span(now - Date.parse(startedAt))}
            </time>
          ) : (
            <None />
          )}
        </td>
      </tr>
      {state !== "healthy" && (
        <Reason state={state} word={service.reason} sentence={service.message} />
      )}
    </tbody>
  );
}

function Reason({
  state,
  word,
  sentence,
}: {
  state: State;
  word: string;
  sentence: string;
}): ReactNode {
  if (!word && !sentence) {
    return null;
  }
  return (
    <tr>
      <td colSpan={7} className="px-4 pb-3">
        <p
          data-testid="reason"
          className={`whitespace-pre-wrap break-words border-l-2 pl-3 text-xs ${reasonColor[state]}`}
        >
          {word && <strong className="font-medium">{word}</strong>}
          {word && sentence && " · "}
          {sentence}
        </p>
      </td>
    </tr>
  );
}

function None() {
  return (
    <span className="text-muted">
      <span aria-hidden="true">–</span>
      <span className="sr-only">none</span>
    </span>
  );
}
