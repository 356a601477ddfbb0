/** Not red, which means an error. */
const tones = [
  "text-tone-blue",
  "text-tone-orange",
  "text-tone-green",
  "text-tone-pink",
  "text-tone-cyan",
  "text-tone-violet",
  "text-tone-yellow",
];

/** The colour of a service, of its name alone, so that it is the same on every screen of everybody (FNV-1a). */
export function toneOf(service: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < service.length; i++) {
    hash = Math.imul(hash ^ service.charCodeAt(i), 0x01000193);
  }
  return tones[(hash >>> 0) % tones.length] ?? "";
}
