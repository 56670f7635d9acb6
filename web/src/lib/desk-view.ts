/** What the fraud desk shows, as values: filters <-> address, rows on the screen, keys -> actions. Pure. */
import { FILTER, QUEUE } from "./desk-strings";

export interface Filters {
  /** Comma-separated; empty: all. */
  readonly status: string;
  readonly q: string;
  /** Null: anybody's; empty: nobody's. */
  readonly assignee: string | null;
  readonly signal: string;
  readonly handedOver: boolean;
  readonly sort: string;
}

export const DEFAULTS: Filters = {
  status: "open,in_review",
  q: "",
  assignee: null,
  signal: "",
  handedOver: false,
  sort: "urgency",
};

/** Return the filters that an address names; what it names wrongly is as usual. */
export function filtersOf(query: URLSearchParams): Filters {
  return {
    status: known(query.get("status"), FILTER.statuses, DEFAULTS.status),
    q: query.get("q") ?? "",
    assignee: query.get("assignee"),
    signal: known(query.get("signal"), FILTER.signals, ""),
    handedOver: query.get("handed_over") === "true",
    sort: known(query.get("sort"), FILTER.sorts, DEFAULTS.sort),
  };
}

function known(value: string | null, choices: object, usual: string): string {
  return value !== null && Object.hasOwn(choices, value) ? value : usual;
}

/** Return what of the filters differs from the usual, for the address. */
export function addressOf(filters: Filters): URLSearchParams {
  const query = new URLSearchParams();
  if (filters.status !== DEFAULTS.status) query.set("status", filters.status);
  if (filters.q) query.set("q", filters.q);
  if (filters.assignee !== null) query.set("assignee", filters.assignee);
  if (filters.signal) query.set("signal", filters.signal);
  if (filters.handedOver) query.set("handed_over", "true");
  if (filters.sort !== DEFAULTS.sort) query.set("sort", filters.sort);
  return query;
}

export type View = "queue" | "statistics";

export function viewOf(query: URLSearchParams): View {
  return query.get("view") === "statistics" ? "statistics" : "queue";
}

/** Return the address of what is shown. */
export function hrefOf(filters: Filters, view: View, alert: string | null): string {
  const query = addressOf(filters);
  if (view === "statistics") query.set("view", view);
  if (alert !== null) query.set("case", alert);
  return query.size ? `/desk?${query}` : "/desk";
}

/** Return the query that asks the service for what the filters let through. */
export function askFor(filters: Filters): URLSearchParams {
  const query = new URLSearchParams({ status: filters.status, sort: filters.sort });
  if (filters.q) query.set("q", filters.q);
  if (filters.assignee !== null) query.set("assignee", filters.assignee);
  if (filters.signal) query.set("signal", filters.signal);
  if (filters.handedOver) query.set("handed_over", "true");
  return query;
}

/** Return the rows to draw, from-to (without the last): those on the screen and some around them. */
export function visible(top: number, height: number, row: number, total: number, around = 6): [number, number] {
  const first = Math.max(0, Math.floor(top / row) - around);
  const last = Math.min(total, Math.ceil((top + height) / row) + around);
  return [first, Math.max(first, last)];
}

/** Return the pages, of `size` rows each, that rows from-to lie on. */
export function pagesOf(first: number, last: number, size: number): number[] {
  const pages: number[] = [];
  for (let page = Math.floor(first / size); page * size < last; page++) pages.push(page);
  return pages;
}

/** Return where to scroll so that a row is seen: unchanged if it is. */
export function scrolledTo(index: number, top: number, height: number, row: number): number {
  if (index * row < top) return index * row;
  return (index + 1) * row > top + height ? (index + 1) * row - height : top;
}

/** Return how long ago something was. */
export function ago(iso: string, now: Date): string {
  const minutes = Math.floor(Math.max(0, now.getTime() - Date.parse(iso)) / 60_000);
  if (minutes < 1) return QUEUE.now;
  if (minutes < 60) return QUEUE.minutes(minutes);
  return minutes < 48 * 60 ? QUEUE.hours(Math.floor(minutes / 60)) : QUEUE.days(Math.floor(minutes / 1440));
}

/** Return how urgent a case is beside the most urgent one that is listed, 0..1: for a bar. */
export function share(urgency: number, most: number): number {
  return most > 0 ? Math.min(1, Math.log2(1 + urgency) / Math.log2(1 + most)) : 0;
}

/** Return items by a name of each, in the order of their first. */
export function grouped<T>(items: readonly T[], name: (item: T) => string): [string, readonly T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(name(item), [...(groups.get(name(item)) ?? []), item]);
  return [...groups];
}
