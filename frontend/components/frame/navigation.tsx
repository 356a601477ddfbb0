"use client";

import { usePathname } from "next/navigation";
import { useEffect, useRef } from "react";
import { Link } from "@/components/link";
import { isOfScreen, screens } from "@/lib/screens";

export function Navigation() {
  const path = usePathname();
  const nav = useRef<HTMLElement>(null);
  // Where not all have room, the one that is shown is seen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another path is another link
  useEffect(() => {
    const here = nav.current?.querySelector<HTMLElement>("[aria-current]");
    if (nav.current && here) {
      const { offsetLeft, clientWidth } = nav.current;
      nav.current.scrollLeft = here.offsetLeft - offsetLeft - (clientWidth - here.offsetWidth) / 2;
    }
  }, [path]);
  return (
    <nav
      ref={nav}
      aria-label="Screens"
      className="flex items-stretch gap-1 max-lg:order-last max-lg:h-10 max-lg:w-full max-lg:overflow-x-auto"
    >
      {screens.map(({ href, label }) => {
        const here = isOfScreen(path, href);
        return (
          <Link
            key={href}
            href={href}
            aria-current={here ? "page" : undefined}
            className={`flex shrink-0 items-center border-b-2 px-2 pt-0.5 ${here ? "border-accent" : "border-transparent text-muted hover:text-ink"}`}
          >
            {label}
          </Link>
        );
      })}
    </nav>
  );
}
