import { HealthStrip } from "@/components/health-strip";
import { Link } from "@/components/link";
import { None } from "@/components/none";
import { healthScreenPath } from "@/lib/screens";
import type { UptimeSummary, Window } from "@/lib/stack/uptime";
import { pastStateText, percent, stripLabel, windowText } from "@/lib/stack/uptime-text";
import { latency } from "@/lib/time";

const cell = "px-1.5 py-2 first:pl-4 last:pr-4 sm:px-3";
const wide = "hidden md:table-cell";

/** Every service with its past: in a strip, in shares of time, and in latencies. */
export function UptimeTable({ services, window }: { services: UptimeSummary[]; window: Window }) {
  return (
    <table className="w-full border-collapse">
      <thead className="text-muted text-xs">
        <tr>
          <Head>Name</Head>
          <Head className="w-2/5">Last {windowText[window]}</Head>
          <Head className="text-right">1 h</Head>
          <Head className={`${wide} text-right`}>24 h</Head>
          <Head className={`${wide} text-right`}>7 d</Head>
          <Head className={`${wide} text-right`}>p50</Head>
          <Head className={`${wide} text-right`}>p95</Head>
          <Head className={`${wide} text-right`}>p99</Head>
        </tr>
      </thead>
      <tbody>
        {services.map((service) => (
          <Row key={service.service} summary={service} window={window} />
        ))}
      </tbody>
    </table>
  );
}

function Head({ className = "", children }: { className?: string; children: React.ReactNode }) {
  return (
    <th scope="col" className={`${cell} text-left font-medium ${className}`}>
      {children}
    </th>
  );
}

function Row({ summary, window }: { summary: UptimeSummary; window: Window }) {
  const { service, state, uptime, latency: asked, points } = summary;
  return (
    <tr
      data-testid={`uptime-${service}`}
      data-state={state}
      className="border-line border-t hover:bg-canvas/60"
    >
      <th scope="row" className={`${cell} text-left font-normal`}>
        <Link
          href={healthScreenPath({ service, window })}
          className="wrap-anywhere font-medium underline-offset-4 hover:underline"
        >
          {service}
        </Link>
        <span className="block text-muted text-xs">{pastStateText[state]}</span>
      </th>
      <td className={cell}>
        <HealthStrip points={points} label={stripLabel(summary, window)} className="h-6 w-full" />
      </td>
      <Share value={uptime.hour.uptime} />
      <Share value={uptime.day.uptime} className={wide} />
      <Share value={uptime.week.uptime} className={wide} />
      <Milliseconds value={asked.p50} />
      <Milliseconds value={asked.p95} />
      <Milliseconds value={asked.p99} />
    </tr>
  );
}

function Share({ value, className = "" }: { value: number | undefined; className?: string }) {
  return (
    <td className={`${cell} whitespace-nowrap text-right ${className}`}>
      {value === undefined ? <None /> : percent(value)}
    </td>
  );
}

function Milliseconds({ value }: { value: number | undefined }) {
  return (
    <td className={`${cell} ${wide} whitespace-nowrap text-right`}>
      {value === undefined ? <None /> : latency(value)}
    </td>
  );
}
