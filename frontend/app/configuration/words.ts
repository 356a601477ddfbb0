import { listed } from "@/lib/words";
import type { Revision } from "./schema";

/** Workloads by their names: "Deployment/api" → "api". */
export function workloads(names: string[]): string {
  return listed(names.map((name) => name.slice(name.indexOf("/") + 1)));
}

/** The commands of zr for the environment of a file: dev is the one that they mean by themselves. */
export function zrCommand(verb: string, file: string | undefined): string {
  const environment = /^config\/([^/]+)\.yaml$/.exec(file ?? "")?.[1];
  return environment && environment !== "dev" ? `zr ${verb} --env ${environment}` : `zr ${verb}`;
}

/** What a revision was for. */
export function revisionReason({ author, reason, restores }: Revision): string {
  if (author === "zr") {
    return `As ${reason} had it`;
  }
  return restores ? `Back to revision ${restores}: ${reason}` : reason;
}
