import type { Action } from "@/lib/actions/actions";

/** What a person is asked about: which service, and what of it where that is chosen. */
export interface Asked {
  /** That of the page where it was asked. */
  environment?: string;
  service: string;
  action?: Action;
  /** Whether nothing is lost by it, so that an operator need not be asked. */
  atOnce?: boolean;
  replicas?: number;
  revision?: number;
  /** The services that the api named when it refused to go on without a word. */
  dependents?: string[];
}
