import { Link } from "@/components/link";
import { SNAPSHOT } from "@/lib/screens";
import { version } from "@/package.json";

/** Rendered on the server: the build is that of the process which served the page. */
export function Footer() {
  const build = process.env.ZR_BUILD_HASH;
  return (
    <footer className="border-line border-t">
      <p
        data-testid="footer"
        className="mx-auto flex w-full max-w-7xl 2xl:max-w-384 flex-wrap gap-x-4 px-4 py-3 text-muted text-xs sm:px-6"
      >
        <span>Dashboard {version}</span>
        {build && (
          <span>
            build <span className="font-mono">{build}</span>
          </span>
        )}
        <Link href={SNAPSHOT} className="ml-auto underline-offset-4 hover:text-ink hover:underline">
          Snapshot
        </Link>
      </p>
    </footer>
  );
}
