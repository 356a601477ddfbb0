import type { Metadata } from "next";
import { NothingHere } from "@/components/nothing-here";

export const metadata: Metadata = { title: "No such page · zr" };

export default function NotFound() {
  return (
    <NothingHere title="There is no such page">
      The address may be of another version of the dashboard, or mistyped.
    </NothingHere>
  );
}
