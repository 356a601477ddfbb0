import Link from "next/link";

export default function NotFound() {
  return (
    <div className="py-16 text-center">
      <h1 className="font-semibold text-xl">There is no such page</h1>
      <Link href="/" className="mt-3 inline-block text-accent underline underline-offset-4">
        Back to the services
      </Link>
    </div>
  );
}
