import { z } from "zod";
import { inert } from "./inert";

/** A text that somebody else wrote, to be shown: what it holds does nothing to what is around it. */
export const inertText = z.string().transform(inert);
