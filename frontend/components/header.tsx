import Link from "next/link";

export function Header() {
  return (
    <header className="border-line border-b bg-surface">
      <div className="mx-auto flex h-12 w-full max-w-6xl items-center gap-3 px-4 sm:px-6">
        <Link href="/" className="flex items-center gap-2 rounded-sm font-semibold">
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
        <span aria-hidden="true" className="text-line">
          /
        </span>
        <span className="text-muted">Services</span>
      </div>
    </header>
  );
}
