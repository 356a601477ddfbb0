import type { ReactNode } from "react";
import { Link } from "@/components/link";

/** A screen for an address that stands for nothing, with the way back. */
export function NothingHere({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div data-testid="nothing-here" className="py-16 text-center">
      <h1 className="wrap-anywhere font-semibold text-xl tracking-tight">{title}</h1>
      <p className="mx-auto mt-2 max-w-lg text-muted">{children}</p>
      <Link href="/" className="mt-4 inline-block text-accent underline underline-offset-4">
        Show all services
      </Link>
    </div>
  );
}
