/** The queue as the desk sees it: pages that are fetched where somebody looks, and anew whenever something happens. */
import { ApiError } from "./api";
import { getPage } from "./desk-api";
import { askFor, DEFAULTS, pagesOf, type Filters } from "./desk-view";
import { openLive, type Status } from "./live";
import type { CaseMessage, ServerMessage } from "./wire";

export const PAGE = 100;
/** Events come in bursts; one fetch answers all of a burst [ms]. */
const SETTLE_MS = 150;
const TOLD = new Set<ServerMessage["type"]>(["alert", "label", "case_action", "stake", "session_ended"]);

class Desk {
  filters = $state.raw<Filters>(DEFAULTS);
  total = $state<number | null>(null);
  rows = $state.raw<ReadonlyMap<number, CaseMessage>>(new Map());
  connection = $state<Status>("closed");
  failure = $state("");
  /** Grows with each event: who shows something else of a case fetches it anew. */
  news = $state(0);
  #seq = 0;
  #range: [number, number] = [0, PAGE];
  #pending = new Set<number>();
  #generation = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begin to listen; the returned function ends it. */
  open(): () => void {
    const close = openLive({
      after: () => this.#seq,
      refresh: () => this.reload(),
      onRestart: () => (this.#seq = 0),
      onStatus: (status) => (this.connection = status),
      onMessage: (message) => this.#hear(message),
    });
    return () => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      close();
    };
  }

  /** Show other cases. */
  choose(filters: Filters): void {
    this.filters = filters;
    this.total = null;
    this.rows = new Map();
    this.#range = [0, PAGE];
    void this.reload();
  }

  /** Fetch what of the rows from-to is not there. */
  look(first: number, last: number): void {
    this.#range = [first, last];
    for (const page of pagesOf(first, last, PAGE)) {
      if (!this.rows.has(page * PAGE) && !this.#pending.has(page)) void this.#fetch(page, this.#generation);
    }
  }

  /** Fetch all that is looked at anew. */
  async reload(): Promise<void> {
    const generation = ++this.#generation;
    this.#pending.clear();
    const pages = pagesOf(...this.#range, PAGE);
    await Promise.all((pages.length ? pages : [0]).map((page) => this.#fetch(page, generation, true)));
  }

  indexOf(alert: string): number | null {
    for (const [index, row] of this.rows) if (row.alert === alert) return index;
    return null;
  }

  async #fetch(page: number, generation: number, isAnew = false): Promise<void> {
    this.#pending.add(page);
    try {
      const found = await getPage(askFor(this.filters), PAGE, page * PAGE);
      if (generation !== this.#generation) return;
      const rows = new Map(isAnew ? [...this.rows].filter(([index]) => this.#isNear(index, page)) : this.rows);
      found.cases.forEach((row, i) => rows.set(page * PAGE + i, row));
      for (const index of rows.keys()) if (index >= found.total) rows.delete(index);
      this.rows = rows;
      this.total = found.total;
      this.#seq = Math.max(this.#seq, found.seq);
      this.failure = "";
    } catch (error) {
      if (generation !== this.#generation) return;
      this.failure = error instanceof Error ? error.message : String(error);
      // Whoever may not see the queue need not try again.
      if (!(error instanceof ApiError && error.status === 403)) throw error;
    } finally {
      this.#pending.delete(page);
    }
  }

  /** Rows that are looked at stay on the screen until the new ones are there; others are fetched when they are. */
  #isNear(index: number, page: number): boolean {
    return pagesOf(...this.#range, PAGE).includes(Math.floor(index / PAGE)) && Math.floor(index / PAGE) !== page;
  }

  #hear(message: ServerMessage): void {
    if (!("seq" in message) || message.type === "hello") return;
    this.#seq = Math.max(this.#seq, message.seq);
    if (!TOLD.has(message.type)) return;
    // Not begun anew with each event: a stream of them would put the fetch off for good.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.news++;
      this.reload().catch(() => undefined);
    }, SETTLE_MS);
  }
}

export const desk = new Desk();
