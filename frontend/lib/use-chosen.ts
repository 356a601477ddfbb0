import { startTransition, useCallback, useOptimistic } from "react";

/**
 * What a control shows that is bound to the address. Next.js draws another address when it
 * can, and until then React would set the control back: a choice is what was chosen from the
 * moment on that it is made, also for the next one. `go` leads to the address of a choice;
 * the second of the pair is the same as long as `go` is.
 */
export function useChosen<T>(inAddress: T, go: (chosen: T) => void): [T, (chosen: T) => void] {
  const [chosen, setChosen] = useOptimistic(inAddress);
  const choose = useCallback(
    (next: T) =>
      startTransition(() => {
        setChosen(next);
        go(next);
      }),
    [setChosen, go],
  );
  return [chosen, choose];
}
