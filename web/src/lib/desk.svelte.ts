/** The queue as the desk sees it: pages that are fetched where somebody looks, and anew whenever something happens. */
import { ApiError } from "./api";
import { getPage } from "./desk-api";
import { PAGE, Pages } from "./desk-pages";
import { askFor, DEFAULTS, type Filters } from "./desk-view";
import { openLive, type Status } from "./live";
import type { CaseMessage, ServerMessage } from "./wire";

/** Events come in bursts; one fetch answers all of a burst [ms]. */
const SETTLE_MS = 150;
/** What changes the queue or its figures; other events only change what is shown of their own call. */
const TOLD = new Set<ServerMessage["type"]>(["alert", "label", "case_action", "stake", "session_ended"]);

class Desk {
  filters = $state.raw<Filters>(DEFAULTS);
  total = $state<number | null>(null);
  rows = $state.raw<ReadonlyMap<number, CaseMessage>>(new Map());
  connection = $state<Status>("closed");
  failure = $state("");
  /** Grows with each burst of events that may have changed the figures. */
  news = $state(0);
  #seq = 0;
  #pages: Pages | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Calls that something was heard of in this burst, and whether any of it changes the queue. */
  #heard = new Set<string>();
  #isChanged = false;
  #isForbidden = false;
  #watchers = new Map<string, Set<() => void>>();

  /** Begin to listen; the returned function ends it. */
  open(filters: Filters): () => void {
    this.#isForbidden = false;
    this.#pages = this.#begin(filters);
    const close = openLive({
      after: () => this.#seq,
      refresh: () => this.refresh(),
      onRestart: () => (this.#seq = 0),
      onStatus: (status) => (this.connection = status),
      onMessage: (message) => this.#hear(message),
    });
    return () => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#pages?.close();
      close();
    };
  }

  /** Show other cases. */
  choose(filters: Filters): void {
    this.#pages = this.#begin(filters);
    this.again();
  }

  /** Say which rows are looked at, from-to. */
  look(first: number, last: number): void {
    this.#pages?.look(first, last);
  }

  /** Fetch anew all that is shown, the open case included: what happened meanwhile may not have been told. */
  async refresh(): Promise<void> {
    for (const watchers of this.#watchers.values()) for (const tell of watchers) tell();
    await this.#reload();
  }

  /** The same for those who do not wait for it: what fails is said by `failure`. */
  again(): void {
    this.refresh().catch(() => undefined);
  }

  /** Call `tell` soon after anything happens to a call; the returned function ends it. */
  watch(session: string, tell: () => void): () => void {
    const watchers = this.#watchers.get(session) ?? new Set();
    this.#watchers.set(session, watchers.add(tell));
    return () => {
      watchers.delete(tell);
      if (!watchers.size) this.#watchers.delete(session);
    };
  }

  async #reload(): Promise<void> {
    try {
      await this.#pages?.refresh();
    } catch (error) {
      // Whoever may not see the queue need not try again.
      if (!this.#isForbidden) throw error;
    }
  }

  #begin(filters: Filters): Pages {
    this.#pages?.close();
    this.filters = filters;
    this.total = null;
    this.rows = new Map();
    this.failure = "";
    return new Pages(
      (page, signal) => getPage(askFor(filters), PAGE, page * PAGE, signal),
      ({ rows, total, seq }) => {
        this.rows = rows;
        this.total = total;
        this.#seq = Math.max(this.#seq, seq);
        this.failure = "";
      },
      (error) => {
        this.failure = error instanceof Error ? error.message : String(error);
        this.#isForbidden = error instanceof ApiError && error.status === 403;
      },
    );
  }

  #hear(message: ServerMessage): void {
    if (!("seq" in message) || message.type === "hello") return;
    this.#seq = Math.max(this.#seq, message.seq);
    this.#heard.add(message.session);
    this.#isChanged ||= TOLD.has(message.type);
    // Not begun anew with each event: a stream of them would put the fetch off for good.
    this.#timer ??= setTimeout(() => this.#settle(), SETTLE_MS);
  }

  #settle(): void {
    this.#timer = undefined;
    const [heard, isChanged] = [this.#heard, this.#isChanged];
    [this.#heard, this.#isChanged] = [new Set(), false];
    for (const session of heard) this.#watchers.get(session)?.forEach((tell) => tell());
    if (!isChanged || this.#isForbidden) return;
    this.news++;
    this.#reload().catch(() => undefined);
  }
}

export const desk = new Desk();
