import { Link } from "@/components/link";

/** The ways to the first and to the next page of a list, where there are any. */
export function Pages({
  newest,
  older,
}: {
  newest: string | undefined;
  older: string | undefined;
}) {
  if (!newest && !older) {
    return null;
  }
  return (
    <nav aria-label="Pages" className="mt-3 flex justify-between text-accent">
      {newest ? <Link href={newest}>Newest</Link> : <span />}
      {older && <Link href={older}>Older</Link>}
    </nav>
  );
}
