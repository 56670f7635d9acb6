/** All calls as the viewer sees them: the store, fed by the service. */
import { about } from "./about.svelte";
import { getEvents, getSnapshot, getTimeline } from "./api";
import { openLive, type Status } from "./live";
import { EMPTY, receive, runningCalls, withHistory, withSnapshot, withTimeline, type Store } from "./store";

/** The service keeps the readings of its newest calls only; asking for others would be refused. */
const MAX_TIMELINES = 20;

class Board {
  store = $state.raw<Store>(EMPTY);
  connection = $state<Status>("closed");
  /** Whether the list has arrived. */
  ready = $state(false);
  #timelines = new Set<string>();

  /** Begin to listen; the returned function ends it. */
  open(): () => void {
    return openLive({
      after: () => this.store.seq,
      refresh: () => this.#refresh(),
      onRestart: () => (this.store = EMPTY),
      onStatus: (status) => (this.connection = status),
      onMessage: (message) => (this.store = receive(this.store, message)),
    });
  }

  /** Fetch what happened in one call so far. */
  async look(session: string): Promise<void> {
    const events = await getEvents(session).catch(() => []);
    this.store = withHistory(this.store, events);
  }

  async #refresh(): Promise<void> {
    this.store = withSnapshot(this.store, await getSnapshot());
    this.ready = true;
    void about.load();
    // Readings are not sent again, so those of running calls are fetched anew after each gap.
    for (const call of runningCalls(this.store)) this.#timelines.delete(call.id);
    void this.#fetchTimelines();
  }

  async #fetchTimelines(): Promise<void> {
    const newest = Object.values(this.store.calls)
      .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
      .slice(0, MAX_TIMELINES);
    for (const { id, verdict } of newest) {
      if (!verdict || this.#timelines.has(id)) continue;
      this.#timelines.add(id);
      const timeline = await getTimeline(id).catch(() => null);
      if (timeline) this.store = withTimeline(this.store, timeline);
    }
  }
}

export const board = new Board();
