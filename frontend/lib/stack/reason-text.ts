/** A code of the api as words: "image_pull" → "Image pull". */
export function reasonText(code: string): string {
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
