import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { environmentIn } from "@/lib/environment";
import { hasSession } from "@/lib/load";
import { isOfSnapshot } from "@/lib/screens";
import { SnapshotClient } from "./client";

export const metadata: Metadata = { title: "Snapshot · zr" };

/** Asks the api for nothing: a snapshot is opened also where that is away. */
export default async function SnapshotPage({
  params,
  searchParams,
}: PageProps<"/snapshot/[[...place]]">) {
  const { place = [] } = await params;
  if (!isOfSnapshot(place)) {
    notFound();
  }
  return (
    <SnapshotClient environment={environmentIn(await searchParams)} loggedIn={await hasSession()} />
  );
}
