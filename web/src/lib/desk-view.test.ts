import { describe, expect, it } from "vitest";
import { addressOf, ago, askFor, DEFAULTS, filtersOf, grouped, hrefOf, pagesOf, scrolledTo, share, viewOf, visible } from "./desk-view";

describe("filters", () => {
  it("leave the usual out of the address and come back from it", () => {
    expect(addressOf(DEFAULTS).toString()).toBe("");
    const mine = { ...DEFAULTS, status: "", q: "street 5", assignee: "", signal: "voice", handedOver: true, sort: "amount" };
    expect(filtersOf(addressOf(mine))).toEqual(mine);
  });

  it("are as usual where the address names what there is not", () => {
    const query = new URLSearchParams("status=lost&sort=colour&signal=smell&handed_over=perhaps");
    expect(filtersOf(query)).toEqual(DEFAULTS);
    expect(filtersOf(new URLSearchParams("sort=toString"))).toEqual(DEFAULTS);
    expect(filtersOf(new URLSearchParams("status=confirmed_fraud&assignee=Dana"))).toEqual({
      ...DEFAULTS,
      status: "confirmed_fraud",
      assignee: "Dana",
    });
  });

  it("stand in the address beside the view and the case", () => {
    expect(hrefOf(DEFAULTS, "queue", null)).toBe("/desk");
    const href = hrefOf({ ...DEFAULTS, q: "a&b" }, "statistics", "id 1");
    expect(href).toBe("/desk?q=a%26b&view=statistics&case=id+1");
    const query = new URL(href, "http://kua").searchParams;
    expect([viewOf(query), filtersOf(query).q, query.get("case")]).toEqual(["statistics", "a&b", "id 1"]);
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
