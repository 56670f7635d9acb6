/**
 * The queue's rows, fetched in pages where somebody looks. What is shown is told by `show`; no page, no DOM, so that
 * tests need neither.
 *
 * A refresh fetches the pages that are looked at together and shows them at once: rows of two states of the queue never
 * stand side by side. Pages further off are forgotten with it and fetched when somebody looks.
 */
import { oneAtATime } from "./desk-once";
import { pagesOf } from "./desk-view";
import type { CaseMessage, CasePageMessage } from "./wire";

export const PAGE = 100;
/** So long somebody must look at the same place before it is fetched: what a scrollbar flies over is not [ms]. */
const REST_MS = 50;

export interface Shown {
  readonly rows: ReadonlyMap<number, CaseMessage>;
  readonly total: number;
  /** Newest event that the rows account for. */
  readonly seq: number;
}

type Fetch = (page: number, signal: AbortSignal) => Promise<CasePageMessage>;

export class Pages {
  /** Fetch all that is looked at anew; rejects if that fails. */
  readonly refresh = oneAtATime(() => this.#anew());
  #range: readonly [number, number] = [0, PAGE];
  #shown: Shown | null = null;
  #pending = new Set<number>();
  #epoch = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop = new AbortController();

  constructor(
    readonly fetch: Fetch,
    readonly show: (shown: Shown) => void,
    readonly fail: (error: unknown) => void,
  ) {}

  /** Say which rows are looked at, from-to (without the last); what is not there is fetched. */
  look(first: number, last: number): void {
    this.#range = [first, last];
    clearTimeout(this.#timer);
    if (this.#missing().length) this.#timer = setTimeout(() => this.#fill(), REST_MS);
  }

  /** Nothing is shown after this. */
  close(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  #missing(): number[] {
    const shown = this.#shown;
    // Before the first answer the refresh that is under way brings all there is to see.
    if (!shown) return [];
    const [first, last] = this.#range;
    return pagesOf(first, Math.min(last, shown.total), PAGE).filter(
      (page) => !shown.rows.has(page * PAGE) && !this.#pending.has(page),
    );
  }

  #fill(): void {
    for (const page of this.#missing()) void this.#add(page);
  }

  async #add(page: number): Promise<void> {
    const epoch = this.#epoch;
    this.#pending.add(page);
    try {
      const found = await this.fetch(page, this.#stop.signal);
      // A refresh overtook it: these rows may be of an older order.
      if (epoch !== this.#epoch || this.#stop.signal.aborted) return;
      this.#put(new Map([...(this.#shown?.rows ?? []), ...rowsOf(page, found)]), found);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.fail(error);
    } finally {
      if (epoch === this.#epoch) this.#pending.delete(page);
    }
  }

  async #anew(): Promise<void> {
    const pages = pagesOf(...this.#range, PAGE);
    const asked = (pages.length ? pages : [0]).map(async (page) => [page, await this.fetch(page, this.#stop.signal)] as const);
    try {
      const found = await Promise.all(asked);
      if (this.#stop.signal.aborted) return;
      this.#epoch++;
      this.#pending.clear();
      const [, oldest] = found.reduce((a, b) => (b[1].seq < a[1].seq ? b : a));
      this.#put(new Map(found.flatMap(([page, of]) => rowsOf(page, of))), oldest);
    } catch (error) {
      // Other cases were asked for meanwhile: nobody waits for these.
      if (this.#stop.signal.aborted) return;
      this.fail(error);
      throw error;
    }
    // Whoever scrolled on while it was fetched looks elsewhere now.
    this.look(...this.#range);
  }

  #put(rows: Map<number, CaseMessage>, { total, seq }: CasePageMessage): void {
    for (const index of rows.keys()) if (index >= total) rows.delete(index);
    this.#shown = { rows, total, seq };
    this.show(this.#shown);
  }
}

function rowsOf(page: number, found: CasePageMessage): [number, CaseMessage][] {
  return found.cases.map((row, i) => [page * PAGE + i, row]);
}
