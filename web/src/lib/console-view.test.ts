import { expect, test } from "vitest";
import { AMOUNT, amountOf, fromDesk, handedOver, inviteState, newestAlert, nextCall } from "./console-view";
import { alert, ended, started } from "./samples";
import { EMPTY, receive, type Call, type Store } from "./store";
import type { CaseActionMessage, InviteMessage, LabelMessage, StoredMessage } from "./wire";

const NOW = new Date("2026-03-01T12:00:00Z");

function link(id: string, more: Partial<InviteMessage> = {}): InviteMessage {
  return {
    id,
    name: id,
    created_at: "2026-03-01T10:00:00Z",
    expires_at: "2026-03-02T10:00:00Z",
    revoked_at: null,
    session: null,
    ...more,
  };
}

function action(seq: number, deed: CaseActionMessage["deed"], more: Partial<CaseActionMessage> = {}): CaseActionMessage {
  return { type: "case_action", seq, session: "s1", alert: "a1", at: "", deed, by: "Desk", to: "", note: "", ...more };
}

function label(seq: number, said: LabelMessage["label"]): LabelMessage {
  return { type: "label", seq, session: "s1", alert: "a1", at: "", label: said, by: "Desk", note: "", reason: "" };
}

function calls(...events: StoredMessage[]): Store {
  return events.reduce(receive, EMPTY);
}

function call(...events: StoredMessage[]): Call {
  const found = calls(started(1, "s1"), ...events).calls["s1"];
  if (!found) throw new Error("no call");
  return found;
}

test("where a link stands", () => {
  expect(inviteState(link("i"), NOW)).toBe("open");
  expect(inviteState(link("i", { session: "s1" }), NOW)).toBe("joined");
  expect(inviteState(link("i", { expires_at: "2026-03-01T12:00:00Z" }), NOW)).toBe("expired");
  expect(inviteState(link("i", { session: "s1", revoked_at: "2026-03-01T11:00:00Z" }), NOW)).toBe("revoked");
});

test("amounts are read as people write them", () => {
  expect(amountOf("")).toBeNull();
  expect(amountOf(" ")).toBeNull();
  expect(amountOf("2 500 000")).toBe(2_500_000);
  expect(amountOf("99,50")).toBe(99.5);
  const whole = new RegExp(`^(?:${AMOUNT.source})$`, "v");
  for (const text of ["1", "2 500 000", "0.5", "99,50"]) expect(text).toMatch(whole);
  for (const text of ["-1", "1e5", "a", "1.2.3", ".5"]) expect(text).not.toMatch(whole);
});

test("a call without an alert has none to hand over", () => {
  expect(newestAlert(call())).toBeNull();
});

test("the newest alert counts, also one that was taken back", () => {
  const first = { ...alert(2, "raised", "s1"), id: "a1" };
  const cleared = { ...alert(3, "cleared", "s1"), id: "a1" };
  expect(newestAlert(call(first))).toBe("a1");
  expect(newestAlert(call(first, cleared))).toBe("a1");
  expect(newestAlert(call(first, cleared, { ...alert(4, "raised", "s1"), id: "a2" }))).toBe("a2");
});

test("a hand-over belongs to its alert", () => {
  const kept = action(5, "handed_over");
  expect(handedOver(call(kept), "a1")).toEqual(kept);
  expect(handedOver(call(kept), "a2")).toBeNull();
  expect(handedOver(call(), "a1")).toBeNull();
});

test("the agent's own hand-over and notes are no word of the desk", () => {
  expect(fromDesk(call(action(5, "handed_over"), action(6, "note")), "a1")).toBeNull();
});

test("a decision outweighs what was done, until the case is opened again", () => {
  const claimed = action(6, "claimed");
  const decided = label(7, "spoof");
  const reopened = action(9, "reopened");
  expect(fromDesk(call(claimed), "a1")).toEqual(claimed);
  expect(fromDesk(call(claimed, decided), "a1")).toEqual(decided);
  expect(fromDesk(call(claimed, decided, action(8, "released")), "a1")).toEqual(decided);
  expect(fromDesk(call(claimed, decided, reopened), "a1")).toEqual(reopened);
  const again = label(10, "false_alert");
  expect(fromDesk(call(claimed, decided, reopened, again), "a1")).toEqual(again);
});

test("the list moves to the call that an awaited link was joined by", () => {
  const store = calls(started(1, "s1"));
  const joined = [link("i1", { session: "s1" })];
  expect(nextCall(store, null, new Set(["i1"]), [link("i1")], joined)).toBe("s1");
  expect(nextCall(store, null, new Set(), [link("i1")], joined)).toBeNull();
  expect(nextCall(EMPTY, null, new Set(["i1"]), [link("i1")], joined)).toBeNull();
});

test("an open call is not left while it runs", () => {
  const store = calls(started(1, "s1"), started(2, "s2"));
  expect(nextCall(store, "s1", new Set(["i2"]), [], [link("i2", { session: "s2" })])).toBeNull();
});

test("a customer who joins again is followed into the new call", () => {
  const before = [link("i1", { session: "s1" })];
  const now = [link("i1", { session: "s2" })];
  const store = calls(started(1, "s1"), ended(2, "s1"), started(3, "s2"));
  expect(nextCall(store, "s1", new Set(), before, now)).toBe("s2");
  expect(nextCall(store, "s1", new Set(), before, before)).toBeNull();
  expect(nextCall(store, "s1", new Set(), [], now)).toBeNull();
});
