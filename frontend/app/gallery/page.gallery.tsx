import { Gallery } from "@/gallery/gallery";

/** Only where GALLERY is set is this a page: next.config.ts names the files that are. */
export default function GalleryPage() {
  return <Gallery />;
}
