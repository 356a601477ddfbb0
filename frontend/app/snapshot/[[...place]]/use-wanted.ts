import { useSearchParams } from "next/navigation";
import { type RefObject, useEffect } from "react";

/** Gives the focus to what an address is about to do: the palette leads there. */
export function useWanted(to: "save" | "open", element: RefObject<HTMLElement | null>): void {
  const wanted = useSearchParams().get("for") === to;
  useEffect(() => {
    if (wanted) {
      element.current?.focus();
    }
  }, [wanted, element]);
}
