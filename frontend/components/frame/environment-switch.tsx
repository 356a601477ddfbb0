"use client";

import { useQuery } from "@tanstack/react-query";
import { usePathname, useRouter } from "next/navigation";
import { useEnvironment } from "@/components/environment";
import { environmentsQuery } from "@/lib/stack/queries";
import { withQuery } from "@/lib/with-query";

/** Chooses the environment that every screen is about, where the api serves several. */
export function EnvironmentSwitch() {
  const environment = useEnvironment();
  const path = usePathname();
  const router = useRouter();
  const { data } = useQuery(environmentsQuery);
  const names = data?.environments.map(({ name }) => name) ?? [];
  const gone = data && environment && !names.includes(environment) ? environment : undefined;
  if (names.length < 2 && !gone) {
    return null;
  }
  return (
    <select
      aria-label="Environment"
      data-testid="environment"
      value={environment ?? names[0]}
      onChange={(event) =>
        router.push(withQuery(placeIn(path), { environment: event.target.value }))
      }
      className="h-7 max-w-40 self-center rounded-md border border-line bg-surface px-2 text-xs"
    >
      {gone && <option value={gone}>{gone} (not there)</option>}
      {names.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}

/** The same screen, but for the page of a service, which another environment may not have. */
function placeIn(path: string): string {
  return path.startsWith("/services/") ? "/" : path;
}
