import { Link } from "@/components/link";
import { Controls } from "./controls";
import { EnvironmentSwitch } from "./environment-switch";
import { Navigation } from "./navigation";
import { Notifier } from "./notifier";

/** The same on every screen: where one is, where one can go, and how to get there by keyboard. */
export function Header() {
  return (
    <header className="border-line border-b bg-surface">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:m-2 focus:rounded-md focus:bg-surface focus:px-3 focus:py-1.5"
      >
        Skip to the content
      </a>
      <div className="mx-auto flex w-full max-w-7xl 2xl:max-w-384 flex-wrap items-stretch gap-x-4 px-4 sm:px-6 lg:h-12 lg:flex-nowrap">
        <Link href="/" className="flex h-12 items-center gap-2 rounded-sm font-semibold">
          <svg viewBox="0 0 32 32" className="size-5" aria-hidden="true">
            <path
              d="M6 8h13L6 24h10M20 24v-6a5 5 0 0 1 6-5"
              className="fill-none stroke-[4] stroke-accent"
              strokeLinecap="round"
              strokeLinejoin="round"
            />
          </svg>
          zr
        </Link>
        <EnvironmentSwitch />
        <Navigation />
        <Controls />
        <Notifier />
      </div>
    </header>
  );
}
