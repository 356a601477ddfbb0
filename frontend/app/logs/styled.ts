/** A part of a message that a terminal writes alike. */
export interface Segment {
  text: string;
  className: string;
}

/** The colours of a terminal in its order, from black to white. */
const NAMES = [
  "text-muted",
  "text-tone-red",
  "text-tone-green",
  "text-tone-yellow",
  "text-tone-blue",
  "text-tone-pink",
  "text-tone-cyan",
  "",
];

interface Pen {
  color: string;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
}

const PLAIN: Pen = { color: "", bold: false, dim: false, italic: false, underline: false };

/**
 * Cuts a message where its colours change.
 *
 * @param styles changes, each before a byte of the message in UTF-8, with the
 *   parameters of SGR; no parameters reset
 */
export function segments(message: string, styles: { at: number; code: string }[]): Segment[] {
  const bytes = new TextEncoder().encode(message);
  const decoder = new TextDecoder();
  const cut: Segment[] = [];
  let pen = PLAIN;
  let begin = 0;
  const push = (end: number) => {
    if (end > begin) {
      cut.push({ text: decoder.decode(bytes.subarray(begin, end)), className: classOf(pen) });
      begin = end;
    }
  };
  for (const { at, code } of styles) {
    push(Math.min(at, bytes.length));
    pen = changed(pen, code);
  }
  push(bytes.length);
  return cut;
}

function classOf({ color, bold, dim, italic, underline }: Pen): string {
  return [
    dim ? "text-muted" : color,
    bold && "font-semibold",
    italic && "italic",
    underline && "underline",
  ]
    .filter(Boolean)
    .join(" ");
}

function changed(pen: Pen, code: string): Pen {
  const codes = code.split(/[;:]/).map(Number);
  let next = pen;
  for (let i = 0; i < codes.length; i++) {
    const n = codes[i] ?? 0;
    if (n === 38 || n === 48) {
      const [length, color] = extended(codes.slice(i + 1));
      i += length;
      next = n === 38 ? { ...next, color } : next;
    } else {
      next = changedByOne(next, n);
    }
  }
  return next;
}

function changedByOne(pen: Pen, n: number): Pen {
  switch (n) {
    case 0:
      return PLAIN;
    case 1:
      return { ...pen, bold: true };
    case 2:
      return { ...pen, dim: true };
    case 3:
      return { ...pen, italic: true };
    case 4:
      return { ...pen, underline: true };
    case 22:
      return { ...pen, bold: false, dim: false };
    case 23:
      return { ...pen, italic: false };
    case 24:
      return { ...pen, underline: false };
    case 39:
      return { ...pen, color: "" };
  }
  const base = n >= 90 ? n - 90 : n - 30;
  return base >= 0 && base < NAMES.length ? { ...pen, color: NAMES[base] ?? "" } : pen;
}

/**
 * Reads a colour of 256, or of red, green and blue, and says how many
 * parameters it took. It becomes the nearest of the eight, which can be read on
 * light and dark.
 */
function extended([kind, a = 0, b = 0, c = 0]: number[]): [number, string] {
  if (kind === 2) {
    return [4, nearest(a, b, c)];
  }
  if (kind !== 5) {
    return [0, ""];
  }
  if (a < 16) {
    return [2, NAMES[a % 8] ?? ""];
  }
  if (a >= 232) {
    return [2, ""]; // greys
  }
  const cube = a - 16;
  return [2, nearest(Math.floor(cube / 36) * 51, (Math.floor(cube / 6) % 6) * 51, (cube % 6) * 51)];
}

/** The one of the eight colours whose parts are the strong ones. */
function nearest(red: number, green: number, blue: number): string {
  const strongest = Math.max(red, green, blue);
  const bit = (part: number) => (strongest > 0 && part > strongest * 0.6 ? 1 : 0);
  return NAMES[bit(red) + 2 * bit(green) + 4 * bit(blue)] ?? "";
}
