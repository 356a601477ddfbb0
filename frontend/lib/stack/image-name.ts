const DIGEST_SHOWN = 12;

/** An image reference as people say it: without registry and folder, the digest cut as the container engines cut it. */
export function shortImage(reference: string): string {
  const [name = "", digest] = reference.split("@");
  const last = name.slice(name.lastIndexOf("/") + 1);
  const hex = digest?.slice(digest.indexOf(":") + 1);
  return hex ? `${last}@${hex.slice(0, DIGEST_SHOWN)}` : last;
}
