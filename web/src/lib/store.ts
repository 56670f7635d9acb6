/**
 * What is known of all calls, as a pure reducer: (store, message) -> store.
 *
 * Stored events carry a `seq` that only grows. After a reconnect the server sends again what we may have missed, so
 * any event may come twice or late; it is counted once, and never overrules what is newer. Nothing here does I/O.
 */
import type {
  AlertMessage,
  ServerMessage,
  SessionMessage,
  SnapshotMessage,
  State,
  StoredMessage,
  TimelineMessage,
  VerdictMessage,
} from "./wire";

/** Half an hour at two readings a second, as the server keeps. */
export const MAX_READINGS = 3600;
/** Numbers of events remembered one by one; older ones count as seen. */
export const MAX_SEEN = 2000;

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly source: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Why it ended, in the server's words. */
  readonly cause: string | null;
  readonly state: State;
  readonly verdict: VerdictMessage | null;
  /** The alert that stands. */
  readonly alert: AlertMessage | null;
  /** The last alert that was taken back, until another is raised. */
  readonly cleared: AlertMessage | null;
  /** By `seq`, oldest first. */
  readonly events: readonly StoredMessage[];
  /** By time, oldest first. */
  readonly readings: readonly VerdictMessage[];
  /** Newest event that the last snapshot accounts for; up to here, events only enter the log. */
  readonly asOf: number;
}

export interface Store {
  /** Newest stored event that we hold; where a new connection goes on. */
  readonly seq: number;
  /** Events up to here count as seen. */
  readonly floor: number;
  readonly seen: ReadonlySet<number>;
  readonly calls: Readonly<Record<string, Call>>;
  /** The newest alert that was raised or cleared while we watched; what a viewer is told aloud. */
  readonly news: AlertMessage | null;
}

export const EMPTY: Store = { seq: 0, floor: 0, seen: new Set(), calls: {}, news: null };

/** Return the store after one message of the live connection; the same object if it says nothing new. */
export function receive(store: Store, message: ServerMessage): Store {
  switch (message.type) {
    case "hello":
      return store;
    case "verdict":
      return withVerdict(store, message);
    default:
      return withEvent(store, message);
  }
}

/**
 * Return the store after the list of all calls.
 *
 * The first list says where to begin. A later one (after a reconnect) mends the calls but leaves `seq`, so that the
 * events in between still arrive and are told.
 */
export function withSnapshot(store: Store, snapshot: SnapshotMessage): Store {
  const first = store.seq === 0 && Object.keys(store.calls).length === 0;
  const calls: Record<string, Call> = {};
  for (const session of snapshot.sessions) {
    calls[session.session] = mergeSession(store.calls[session.session], session, snapshot.seq);
  }
  for (const call of Object.values(store.calls)) {
    if (!calls[call.id] && newestSeq(call) > snapshot.seq) calls[call.id] = call;
  }
  return first ? { ...store, calls, seq: snapshot.seq, floor: snapshot.seq } : { ...store, calls };
}

/** Return the store with the past readings of a call. */
export function withTimeline(store: Store, timeline: TimelineMessage): Store {
  const call = store.calls[timeline.session];
  if (!call) return store;
  const byTime = new Map([...timeline.readings, ...call.readings].map((reading) => [reading.time_s, reading]));
  const readings = [...byTime.values()].sort((a, b) => a.time_s - b.time_s).slice(-MAX_READINGS);
  return put(store, { ...call, readings });
}

/** Return the store with stored events that were asked for; those already counted only enter their call's log. */
export function withHistory(store: Store, events: readonly StoredMessage[]): Store {
  return events.reduce((current, event) => {
    if (!isSeen(current, event.seq)) return withEvent(current, event);
    const call = current.calls[event.session];
    return call ? put(current, { ...call, events: inserted(call.events, event) }) : current;
  }, store);
}

const URGENCY: Record<State, number> = { spoof: 0, suspect: 1, undecided: 2, bona_fide: 3 };

/** Return the calls that run: most urgent first, then the newest. */
export function runningCalls(store: Store): Call[] {
  return Object.values(store.calls)
    .filter((call) => !call.endedAt)
    .sort((a, b) => URGENCY[a.state] - URGENCY[b.state] || b.startedAt.localeCompare(a.startedAt));
}

/** Return the calls that ended: the latest first. */
export function endedCalls(store: Store): Call[] {
  return Object.values(store.calls)
    .filter((call) => call.endedAt)
    .sort((a, b) => (b.endedAt ?? "").localeCompare(a.endedAt ?? ""));
}

/** Return the calls whose alert stands: the newest alert first. */
export function alertedCalls(store: Store): Call[] {
  return Object.values(store.calls)
    .filter((call) => call.alert)
    .sort((a, b) => (b.alert?.seq ?? 0) - (a.alert?.seq ?? 0));
}

function isSeen(store: Store, seq: number): boolean {
  return seq <= store.floor || store.seen.has(seq);
}

function put(store: Store, call: Call): Store {
  return { ...store, calls: { ...store.calls, [call.id]: call } };
}

function withVerdict(store: Store, verdict: VerdictMessage): Store {
  const call = store.calls[verdict.session];
  if (!call || (call.verdict && verdict.time_s < call.verdict.time_s)) return store;
  // Face and voice of the same moment come one after the other; the second says both.
  const before = call.readings.at(-1)?.time_s === verdict.time_s ? call.readings.slice(0, -1) : call.readings;
  const readings = [...before.slice(-(MAX_READINGS - 1)), verdict];
  // What was last said of an ended call stands in `session_ended`.
  const state = call.endedAt ? call.state : verdict.state;
  return put(store, { ...call, verdict, state, readings });
}

function withEvent(store: Store, event: StoredMessage): Store {
  if (isSeen(store, event.seq)) return store;
  const call = store.calls[event.session] ?? unknownCall(event);
  const logged = { ...call, events: inserted(call.events, event) };
  const isNews = event.type === "alert" && event.kind !== "updated" && event.seq > (store.news?.seq ?? 0);
  return {
    ...put(store, applied(logged, event)),
    ...remembered(store, event.seq),
    seq: Math.max(store.seq, event.seq),
    news: isNews ? event : store.news,
  };
}

function remembered(store: Store, seq: number): Pick<Store, "seen" | "floor"> {
  const seen = [...store.seen, seq].sort((a, b) => a - b);
  const forgotten = seen.splice(0, Math.max(0, seen.length - MAX_SEEN));
  return { seen: new Set(seen), floor: forgotten.at(-1) ?? store.floor };
}

/** Return the call after an event that is already in its log. */
function applied(call: Call, event: StoredMessage): Call {
  // The name and the beginning never change, so they count even when they come late.
  if (event.type === "session_started") {
    return { ...call, name: event.name, source: event.source, startedAt: event.at };
  }
  // Explanations, labels and what else people did say more of an alert, but change nothing.
  if (event.seq <= call.asOf) return call;
  if (event.type !== "alert" && event.type !== "session_ended") return call;
  if (event.type === "session_ended") {
    return { ...call, endedAt: event.at, cause: event.cause, state: event.state };
  }
  if (call.events.findLast((other) => other.type === "alert") !== event) return call;
  if (event.kind === "cleared") return { ...call, alert: null, cleared: event };
  return { ...call, alert: event, cleared: null, state: call.endedAt ? call.state : "spoof" };
}

/** An alert of a call that we never heard of must not be lost. */
function unknownCall(event: StoredMessage): Call {
  return {
    id: event.session,
    name: "",
    source: "",
    startedAt: event.at,
    endedAt: null,
    cause: null,
    state: "undecided",
    verdict: null,
    alert: null,
    cleared: null,
    events: [],
    readings: [],
    asOf: 0,
  };
}

function mergeSession(known: Call | undefined, session: SessionMessage, seq: number): Call {
  if (known && newestSeq(known) > seq) return known;
  const newer = known?.verdict && (!session.verdict || known.verdict.time_s > session.verdict.time_s);
  const verdict = newer ? known.verdict : session.verdict;
  return {
    id: session.session,
    name: session.name,
    source: session.source,
    startedAt: session.started_at,
    endedAt: session.ended_at,
    cause: known?.cause ?? null,
    state: session.state,
    verdict,
    alert: session.alert,
    cleared: session.alert ? null : (known?.cleared ?? null),
    events: known?.events ?? [],
    readings: known?.readings ?? [],
    asOf: seq,
  };
}

function newestSeq(call: Call): number {
  return Math.max(call.asOf, call.events.at(-1)?.seq ?? 0);
}

function inserted(events: readonly StoredMessage[], event: StoredMessage): readonly StoredMessage[] {
  const at = events.findLastIndex((other) => other.seq <= event.seq);
  if (events[at]?.seq === event.seq) return events;
  return events.toSpliced(at + 1, 0, event);
}
