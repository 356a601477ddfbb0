import type { Settings } from "@/app/configuration/schema";
import type { Details } from "@/app/services/[name]/details";
import { dataSchemas, type EventType, type RunEvent, type RunEvents } from "@/lib/dev/schema";
import type { Choice } from "@/lib/snapshot/format";

/** What stands where something was left out. */
export const LEFT_OUT = "(left out of the snapshot)";

function leftOut(text: string | undefined): string | undefined {
  return text && LEFT_OUT;
}

/** Variables have their values, and probes their commands, where values were chosen: either may hold what somebody wrote there. */
export function keptDetails(details: Details, chosen: readonly Choice[]): Details {
  if (chosen.includes("values")) {
    return details;
  }
  return {
    ...details,
    containers: details.containers.map((container) => ({
      ...container,
      env: container.env.map((each) => ({ ...each, value: leftOut(each.value) })),
      probes: container.probes.map((probe) => ({ ...probe, asks: LEFT_OUT })),
    })),
    pods: details.pods.map((pod) => ({
      ...pod,
      answer: { ...pod.answer, asks: leftOut(pod.answer.asks), text: leftOut(pod.answer.text) },
    })),
  };
}

/** The same of settings. */
export function keptSettings(settings: Settings, chosen: readonly Choice[]): Settings {
  if (chosen.includes("values")) {
    return settings;
  }
  return {
    ...settings,
    text: `# ${LEFT_OUT}\n`,
    settings: settings.settings.map((each) => ({ ...each, value: LEFT_OUT })),
  };
}

/** Events of zr, of which what it quoted of compilers and of what failed is kept with the lines. */
export function keptEvents({ events, next }: RunEvents, chosen: readonly Choice[]): RunEvents {
  const read = events.flatMap(known);
  return { next, events: chosen.includes("lines") ? read : read.map(unquoted) };
}

/** What the dashboard knows of the data of an event. What another version of zr tells is in no file. */
function known(event: RunEvent): RunEvent[] {
  const parsed = dataSchemas[event.type as EventType]?.safeParse(event.data);
  return parsed?.success ? [{ ...event, data: parsed.data }] : [];
}

/** The fields of the data of events in which zr quotes. */
const QUOTING = ["error", "text", "hint", "detail"];

function unquoted({ data, places, ...event }: RunEvent): RunEvent {
  const told = Object.entries(data as object);
  return {
    ...event,
    data: Object.fromEntries(
      told.map(([name, value]) => [name, QUOTING.includes(name) && value ? LEFT_OUT : value]),
    ),
    places: places.map((place) => ({ ...place, message: "" })),
  };
}
