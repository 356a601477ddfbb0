"use client";

import { useQuery } from "@tanstack/react-query";
import { usePathname, useRouter } from "next/navigation";
import { useEnvironment } from "@/components/environment";
import { environmentsQuery } from "@/lib/stack/queries";
import { useChosen } from "@/lib/use-chosen";
import { withQuery } from "@/lib/with-query";

/**
 * Chooses the environment that every screen is about, where the api serves several, and
 * says until when the namespace of one is kept.
 */
export function EnvironmentSwitch() {
  const environment = useEnvironment();
  const path = usePathname();
  const router = useRouter();
  const { data } = useQuery(environmentsQuery);
  const environments = data?.environments ?? [];
  const names = environments.map(({ name }) => name);
  const [chosen, choose] = useChosen(environment ?? names[0], (name) =>
    router.push(withQuery(placeIn(path), { environment: name })),
  );
  const gone = data && environment && !names.includes(environment) ? environment : undefined;
  if (names.length < 2 && !gone) {
    const end = endOf(environments[0]?.expiresAt);
    return end ? <span className="self-center text-xs text-muted">{end}</span> : null;
  }
  return (
    <select
      aria-label="Environment"
      data-testid="environment"
      value={chosen}
      onChange={(event) => choose(event.target.value)}
      className="h-7 max-w-40 self-center rounded-md border border-line bg-surface px-2 text-xs"
    >
      {gone && <option value={gone}>{gone} (not there)</option>}
      {environments.map(({ name, expiresAt }) => (
        <option key={name} value={name}>
          {[name, endOf(expiresAt)].filter(Boolean).join(", ")}
        </option>
      ))}
    </select>
  );
}

/** Until when a namespace is kept, in the same words in every time zone: "until 2026-11-28 14:00 UTC". */
function endOf(expiresAt: string | undefined): string | undefined {
  return expiresAt && `until ${expiresAt.slice(0, 16).replace("T", " ")} UTC`;
}

/** The same screen, but for the page of a service, which another environment may not have. */
function placeIn(path: string): string {
  return path.startsWith("/services/") ? "/" : path;
}
