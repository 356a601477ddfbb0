/** What is asked of the worker: which texts an expression finds. */
export interface Asked {
  expression: string;
  texts: string[];
}

/** What it answers: for each text whether it is found, or why the expression is none. */
export type Answer = { found: boolean[] } | { why: string };

/** Tries an expression of this browser, which may begin with flags as those of the api do: (?i). */
export function tryExpression({ expression, texts }: Asked): Answer {
  const [, flags = "", rest = expression] = /^\(\?([ims]+)\)(.*)$/s.exec(expression) ?? [];
  try {
    const tried = new RegExp(rest, [...new Set(flags)].join(""));
    return { found: texts.map((text) => tried.test(text)) };
  } catch (error) {
    return { why: (error as Error).message };
  }
}
