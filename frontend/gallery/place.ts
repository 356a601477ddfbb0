import type { ReactNode } from "react";

/** How a component is in one of its states. */
export interface Shown {
  state: string;
  element: ReactNode;
}

/** One state of a component. */
export function as(state: string, element: ReactNode): Shown {
  return { state, element };
}

/** The components of a part of the dashboard by their files, each in all of its states. */
export type Places = Record<string, Shown[]>;
