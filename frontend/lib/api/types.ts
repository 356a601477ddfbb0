import type { components } from "./schema";

/** The types of the api's contract, by their names there: `make generate` makes them from the api's own. */
export type Schemas = components["schemas"];
