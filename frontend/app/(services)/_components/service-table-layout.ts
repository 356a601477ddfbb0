/** Classes that the head and the rows of the table of services share. */

export const columnCount = 11;

const sides = "px-1.5 first:pl-4 last:pr-4 sm:px-3";

export const head = `${sides} py-2 text-left font-medium`;
export const cell = `${sides} py-2.5 align-top`;
/** A cell whose figure is too short to be broken. */
export const figure = `${cell} whitespace-nowrap`;

/** A column that narrow screens leave out. */
export const wide = "hidden lg:table-cell";

/** A column that only the widest screens have room for. */
export const widest = "hidden xl:table-cell";

/** One that those have no room for beside it: what it says is elsewhere in the row, or on the page of the service. */
export const notWidest = "hidden lg:max-xl:table-cell";

/** The column that is the last one there. */
export const lastIfNarrow = "max-lg:pr-4";
