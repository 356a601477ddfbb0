import type { LastChange, Use } from "./overview";

/** A share of a core: "0.25 cores", "0.003 cores". */
export function coresText(cores: number): string {
  return `${cores.toFixed(cores < 0.1 ? 3 : 2)} cores`;
}

/** "12.4 MiB". */
export function memoryText(bytes: number): string {
  const mib = bytes / 2 ** 20;
  return mib < 1_024 ? `${mib.toFixed(1)} MiB` : `${(mib / 1_024).toFixed(1)} GiB`;
}

/** What is used of what may be: "39.1 MiB of 256.0 MiB". */
export function ofLimit(
  text: (n: number) => string,
  used: number,
  limit: number | undefined,
): string {
  return limit === undefined ? text(used) : `${text(used)} of ${text(limit)}`;
}

/** What the figures of a use are of, where that is not all that runs. */
export function measuredText({ running, measured }: Use): string {
  return measured < running ? `${measured} of ${running} containers are measured` : "";
}

const words: Record<LastChange["what"], string> = {
  deployed: "deployed",
  reloaded: "reloaded",
  restarted: "restarted",
  stopped: "stopped",
  started: "started",
  scaled: "scaled",
  rolledBack: "rolled back",
  ran: "run again",
  configured: "configured",
  changed: "changed",
};

/** What was done: "rolled back". */
export function doneText({ what }: LastChange): string {
  return words[what];
}

/** By whom, or with what, as far as that is known: "by ada", "with kubectl-edit". */
export function whoText({ by, with: program }: LastChange): string {
  if (by) {
    return `by ${by}`;
  }
  if (program === "zr-api") {
    return "in the dashboard";
  }
  return program ? `with ${program}` : "";
}

/** What may have come later. */
export function scaledText({ scaledWith }: LastChange): string {
  return scaledWith ? `its pods were scaled with ${scaledWith}, nobody knows when` : "";
}
