import { describe, expect, test } from "vitest";
import { alert, label, ended, explanation, session, started, verdict, voiceExplanation } from "./samples";
import {
  alertedCalls,
  EMPTY,
  endedCalls,
  MAX_READINGS,
  MAX_SEEN,
  receive,
  runningCalls,
  withHistory,
  withSnapshot,
  withTimeline,
  type Call,
  type Store,
} from "./store";
import type { ServerMessage } from "./wire";

const after = (messages: ServerMessage[], store: Store = EMPTY): Store => messages.reduce(receive, store);

function call(store: Store, id = "a"): Call {
  const found = store.calls[id];
  if (!found) throw new Error(`no call ${id}`);
  return found;
}

const seqs = (store: Store, id = "a"): number[] => call(store, id).events.map((event) => event.seq);

describe("stored events", () => {
  test("a call begins, alerts, is cleared and ends", () => {
    const raised = after([started(1), verdict(1), alert(2, "raised")]);
    expect(call(raised)).toMatchObject({ name: "call a", state: "spoof", alert: { seq: 2 }, cleared: null });
    const cleared = after([alert(3, "cleared")], raised);
    expect(call(cleared)).toMatchObject({ alert: null, cleared: { seq: 3 } });
    const done = after([ended(4)], cleared);
    expect(call(done)).toMatchObject({ endedAt: "2026-01-01T12:00:04.000Z", cause: "hung up", state: "bona_fide" });
    expect(seqs(done)).toEqual([1, 2, 3, 4]);
    expect(done.seq).toBe(4);
  });

  test("an event that comes twice changes nothing at all", () => {
    const once = after([started(1), alert(2, "raised")]);
    expect(after([started(1), alert(2, "raised")], once)).toBe(once);
  });

  test("events in any order give the same call and the same log", () => {
    const events = [started(1), alert(2, "raised"), alert(3, "updated"), alert(4, "cleared"), ended(5)];
    const straight = after(events);
    for (const order of [
      [4, 3, 2, 1, 0],
      [1, 0, 4, 2, 3],
      [0, 3, 1, 4, 2],
    ]) {
      const shuffled = after(order.map((i) => events[i] as ServerMessage));
      expect(seqs(shuffled)).toEqual([1, 2, 3, 4, 5]);
      expect(call(shuffled)).toMatchObject({
        name: "call a",
        startedAt: call(straight).startedAt,
        endedAt: call(straight).endedAt,
        alert: null,
      });
      expect(shuffled.seq).toBe(5);
    }
  });

  test("a late raise does not overrule a clearance, but is in the log", () => {
    const store = after([started(1), alert(3, "cleared"), alert(2, "raised")]);
    expect(call(store).alert).toBeNull();
    expect(seqs(store)).toEqual([1, 2, 3]);
    expect(store.news?.seq).toBe(3);
  });

  test("an alert of an unknown call is kept, and the call gets its name once that comes", () => {
    const store = after([alert(7, "raised", "z")]);
    expect(alertedCalls(store).map((c) => [c.id, c.name])).toEqual([["z", ""]]);
    expect(call(after([started(6, "z")], store), "z")).toMatchObject({ name: "call z", alert: { seq: 7 } });
  });

  test("only raised and cleared alerts are news", () => {
    const raised = after([started(1), alert(2, "raised")]);
    expect(raised.news?.seq).toBe(2);
    expect(after([alert(3, "updated")], raised).news?.seq).toBe(2);
  });

  test("an explanation enters the log, also late and after the end, and changes nothing else", () => {
    const before = after([started(1), alert(2, "raised"), ended(4, "a", "spoof")]);
    const explained = after([explanation(3), voiceExplanation(5)], before);
    expect(seqs(explained)).toEqual([1, 2, 3, 4, 5]);
    expect({ ...call(explained), events: [] }).toEqual({ ...call(before), events: [] });
    expect([explained.seq, explained.news?.seq]).toEqual([5, 2]);
  });

  test("what is remembered of seen events is bounded and still refuses the old ones", () => {
    const many = Array.from({ length: MAX_SEEN + 5 }, (_, i) => alert(i + 2, "updated"));
    const store = after([started(1), ...many]);
    expect(store.seen.size).toBe(MAX_SEEN);
    expect(after([started(1), alert(3, "updated")], store)).toBe(store);
  });
});

describe("verdicts", () => {
  test("the newest replaces the ones before, which stay as readings", () => {
    const store = after([started(1), verdict(1), verdict(1.5, { state: "suspect" })]);
    expect(call(store)).toMatchObject({ state: "suspect", verdict: { time_s: 1.5 } });
    expect(call(store).readings.map((reading) => reading.time_s)).toEqual([1, 1.5]);
  });

  test("the second of the same moment, which holds face and voice, replaces the first", () => {
    const store = after([started(1), verdict(1), verdict(1.5), verdict(1.5, { state: "suspect" })]);
    expect(call(store)).toMatchObject({ state: "suspect", verdict: { state: "suspect" } });
    expect(call(store).readings.map((reading) => reading.time_s)).toEqual([1, 1.5]);
    expect(call(store).readings.at(-1)?.state).toBe("suspect");
  });

  test("a late one, or one of an unknown call, changes nothing", () => {
    const store = after([started(1), verdict(2)]);
    expect(after([verdict(1), verdict(9, { session: "other" })], store)).toBe(store);
  });

  test("a late one does not overrule how the call ended", () => {
    expect(call(after([started(1), ended(2, "a", "spoof"), verdict(5)])).state).toBe("spoof");
  });

  test("readings are bounded", () => {
    const many = Array.from({ length: MAX_READINGS + 10 }, (_, i) => verdict(i + 1));
    const readings = call(after([started(1), ...many])).readings;
    expect(readings).toHaveLength(MAX_READINGS);
    expect(readings.at(-1)?.time_s).toBe(MAX_READINGS + 10);
  });
});

describe("snapshots", () => {
  test("the first one says from where to go on", () => {
    const store = withSnapshot(EMPTY, {
      seq: 9,
      sessions: [session("a", { alert: alert(8, "raised"), state: "spoof" })],
    });
    expect(store.seq).toBe(9);
    expect(alertedCalls(store)).toHaveLength(1);
    expect(after([alert(8, "raised")], store)).toBe(store);
  });

  test("after a reconnect, what happened in between is logged and told, yet the newer snapshot holds", () => {
    const before = after([started(1), verdict(1)]);
    const merged = withSnapshot(before, { seq: 4, sessions: [session("a", { state: "bona_fide" })] });
    expect(merged.seq).toBe(1);
    const replayed = after([alert(2, "raised"), alert(3, "cleared")], merged);
    expect(call(replayed)).toMatchObject({ alert: null, state: "bona_fide" });
    expect(seqs(replayed)).toEqual([1, 2, 3]);
    expect(replayed.news).toMatchObject({ seq: 3, kind: "cleared" });
    expect(after([alert(5, "raised")], replayed).calls["a"]?.alert?.seq).toBe(5);
  });

  test("readings survive a reconnect", () => {
    const merged = withSnapshot(after([started(1), verdict(1), verdict(2)]), { seq: 1, sessions: [session("a")] });
    expect(call(merged).readings).toHaveLength(2);
    expect(call(merged).verdict?.time_s).toBe(2);
  });

  test("a call that the service forgot goes, one that is newer than the snapshot stays", () => {
    const store = after([started(1, "old"), started(5, "new")]);
    expect(Object.keys(withSnapshot(store, { seq: 4, sessions: [] }).calls)).toEqual(["new"]);
  });

  test("an older snapshot does not overrule an event", () => {
    const store = after([started(1), alert(6, "raised")]);
    expect(call(withSnapshot(store, { seq: 3, sessions: [session("a")] })).alert?.seq).toBe(6);
  });
});

describe("what is fetched later", () => {
  test("a timeline fills the gap without doubling readings", () => {
    const store = withTimeline(after([started(1), verdict(3), verdict(4)]), {
      session: "a",
      readings: [verdict(1), verdict(2), verdict(3)],
    });
    expect(call(store).readings.map((reading) => reading.time_s)).toEqual([1, 2, 3, 4]);
  });

  test("history enters the log and leaves the call as it is", () => {
    const store = withSnapshot(EMPTY, { seq: 3, sessions: [session("a")] });
    const filled = withHistory(store, [started(1), alert(2, "raised"), alert(3, "cleared")]);
    expect(seqs(filled)).toEqual([1, 2, 3]);
    expect(call(filled)).toMatchObject({ alert: null, state: "undecided" });
    expect(filled.news).toBeNull();
    expect(seqs(withHistory(filled, [started(1)]))).toEqual([1, 2, 3]);
  });
});

test("running calls are ordered by urgency, ended ones by their end", () => {
  const states = { b: "bona_fide", s: "spoof", u: "undecided", m: "suspect" } as const;
  const store = withSnapshot(EMPTY, {
    seq: 1,
    sessions: [
      ...Object.entries(states).map(([id, state]) => session(id, { state })),
      session("x", { ended_at: "2026-01-01T10:00:00Z", state: "spoof" }),
      session("y", { ended_at: "2026-01-01T11:00:00Z" }),
    ],
  });
  expect(runningCalls(store).map((c) => c.id)).toEqual(["s", "m", "u", "b"]);
  expect(endedCalls(store).map((c) => c.id)).toEqual(["y", "x"]);
});

test("a label enters the log of its call and changes nothing else", () => {
  const before = [started(1), alert(2, "raised")].reduce(receive, EMPTY);
  const after = receive(before, label(3, "false_alert"));
  expect(after.calls["a"]?.events.at(-1)).toMatchObject({ type: "label", label: "false_alert" });
  expect(after.calls["a"]?.alert).toEqual(before.calls["a"]?.alert);
  expect(after.calls["a"]?.state).toBe("spoof");
});
