/** Classes that the head and the rows of the table of services share. */

export const columnCount = 7;

export const cell = "px-3 py-2.5 align-top whitespace-nowrap first:pl-4 last:pr-4";

/** A column that narrow screens leave out. */
export const wide = "hidden sm:table-cell";
