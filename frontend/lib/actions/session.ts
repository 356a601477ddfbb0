import type { QueryFunctionContext } from "@tanstack/react-query";
import { z } from "zod";
import type { Problem } from "@/lib/problem";
import { ask } from "@/lib/snapshot/queries";

const sessionSchema = z.object({ name: z.string(), role: z.enum(["viewer", "operator"]) });
export type Session = z.infer<typeof sessionSchema>;

/** Who is logged in. An error is a Problem. */
export const sessionQuery = {
  queryKey: ["session"],
  queryFn: (context: QueryFunctionContext) => ask(context, "/api/v1/session", sessionSchema),
  retry: false,
} as const;

/** Why who is logged in may change nothing; undefined where he may. */
export function whyNobody(
  session: Session | undefined,
  problem: Problem | null,
): { text: string; command?: string } | undefined {
  if (problem?.code === "not_logged_in") {
    return { text: "You are not logged in. A link that logs you in:", command: "zr dashboard" };
  }
  if (problem) {
    return { text: `Whether you may is not known: ${problem.message}` };
  }
  if (session?.role === "viewer") {
    return {
      text: `${session.name} is a viewer, who may look and not change anything. A link for an operator:`,
      command: "zr dashboard",
    };
  }
  return undefined;
}
