/**
 * Which row keys act on. It is a case, not a place: when another alert comes in above, it moves along, so that no key
 * ever acts on a row that nobody chose. Pure.
 */
import type { CaseMessage } from "./wire";

export type Rows = ReadonlyMap<number, CaseMessage>;

export interface Selection {
  /** Where it is, or last was. */
  readonly index: number;
  /** Null until the row at `index` is there. */
  readonly alert: string | null;
}

export const FIRST: Selection = { index: 0, alert: null };

export function selected(index: number, rows: Rows): Selection {
  return { index, alert: rows.get(index)?.alert ?? null };
}

/** Return the selection among rows as they are now. */
export function withRows(selection: Selection, rows: Rows, total: number): Selection {
  const index = Math.max(0, Math.min(selection.index, total - 1));
  if (selection.alert === null) return selected(index, rows);
  if (rows.get(index)?.alert === selection.alert) return { ...selection, index };
  for (const [at, row] of rows) if (row.alert === selection.alert) return { ...selection, index: at };
  return { ...selection, index };
}

/** Return whether its case is listed where it says; false after it has left the list. */
export function isListed(selection: Selection, rows: Rows): boolean {
  return selection.alert !== null && rows.get(selection.index)?.alert === selection.alert;
}

/** Return the next selection (`by` 1) or the previous one (-1). Once a case has left, the next stands in its place. */
export function moved(selection: Selection, by: number, rows: Rows, total: number): Selection {
  const hasLeft = selection.alert !== null && !isListed(selection, rows);
  const to = selection.index + (hasLeft && by > 0 ? by - 1 : by);
  return selected(Math.max(0, Math.min(to, total - 1)), rows);
}
