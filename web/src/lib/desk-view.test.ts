import { describe, expect, it } from "vitest";
import { actionOf, addressOf, ago, allows, askFor, DEFAULTS, filtersOf, grouped, pagesOf, scrolledTo, share, visible } from "./desk-view";
import type { CaseMessage } from "./wire";

describe("filters", () => {
  it("leave the usual out of the address and come back from it", () => {
    expect(addressOf(DEFAULTS).toString()).toBe("");
    const mine = { ...DEFAULTS, status: "", q: "street 5", assignee: "", signal: "voice", handedOver: true, sort: "amount" };
    expect(filtersOf(addressOf(mine))).toEqual(mine);
  });

  it("ask the service for all of them, nobody's included", () => {
    expect(askFor({ ...DEFAULTS, assignee: "" }).toString()).toBe("status=open%2Cin_review&sort=urgency&assignee=");
  });
});

describe("rows", () => {
  it("are drawn where they are seen and a little around", () => {
    expect(visible(0, 600, 60, 10_000)).toEqual([0, 16]);
    expect(visible(300_000, 600, 60, 10_000)).toEqual([4994, 5016]);
    expect(visible(0, 600, 60, 3)).toEqual([0, 3]);
    expect(visible(0, 600, 60, 0)).toEqual([0, 0]);
  });

  it("lie on pages", () => {
    expect(pagesOf(94, 116, 100)).toEqual([0, 1]);
    expect(pagesOf(100, 116, 100)).toEqual([1]);
    expect(pagesOf(0, 0, 100)).toEqual([]);
  });

  it("are scrolled to only if they are not seen", () => {
    expect(scrolledTo(5, 0, 600, 60)).toBe(0);
    expect(scrolledTo(10, 0, 600, 60)).toBe(60);
    expect(scrolledTo(2, 300, 600, 60)).toBe(120);
  });
});

describe("keys", () => {
  it("do nothing while somebody types or holds a modifier, but Escape", () => {
    expect(actionOf("c", false, false)).toBe("claim");
    expect(actionOf("c", true, false)).toBeNull();
    expect(actionOf("c", false, true)).toBeNull();
    expect(actionOf("Escape", true, false)).toBe("close");
    expect(actionOf("q", false, false)).toBeNull();
  });

  it("fit the case as it is", () => {
    const open = { status: "open" } as CaseMessage;
    const decided = { status: "false_alarm" } as CaseMessage;
    expect([allows("claim", open), allows("reopen", open), allows("spoof", open)]).toEqual([true, false, true]);
    expect([allows("claim", decided), allows("reopen", decided), allows("note", decided)]).toEqual([false, true, true]);
  });
});

it("says how long ago something was", () => {
  const now = new Date("2026-11-26T12:00:00Z");
  const said = ["11:59:40", "11:30:00", "02:00:00"].map((time) => ago(`2026-11-26T${time}Z`, now));
  expect(said).toEqual(["just now", "30 min ago", "10 h ago"]);
  expect(ago("2026-11-20T12:00:00Z", now)).toBe("6 d ago");
});

it("compares urgencies by their doublings", () => {
  expect(share(3, 15)).toBeCloseTo(0.5);
  expect([share(1, 0), share(20, 15)]).toEqual([0, 1]);
});

it("groups in the order of the first of each", () => {
  expect(grouped(["b1", "a1", "b2"], (text) => text[0] ?? "")).toEqual([
    ["b", ["b1", "b2"]],
    ["a", ["a1"]],
  ]);
});
