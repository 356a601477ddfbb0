import type { Change } from "./schema";

/** What a change was, in words: a new state, or what else is new about the same one. */
export function changeText({ state, previous, build }: Change): string {
  if (!previous) {
    return `first seen ${state}`;
  }
  if (previous !== state) {
    return `${previous} → ${state}`;
  }
  return state === "healthy" && build ? `now runs ${build.slice(0, 8)}` : `still ${state}`;
}
