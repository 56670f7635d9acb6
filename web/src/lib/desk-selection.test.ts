import { describe, expect, it } from "vitest";
import { FIRST, isListed, moved, withRows, type Rows } from "./desk-selection";
import type { CaseMessage } from "./wire";

const rows = (...alerts: string[]): Rows => new Map(alerts.map((alert, i) => [i, { alert } as CaseMessage]));

describe("the selection", () => {
  it("begins with the first row, once it is there", () => {
    expect(withRows(FIRST, rows(), 0)).toEqual(FIRST);
    expect(withRows(FIRST, rows("a", "b"), 2)).toEqual({ index: 0, alert: "a" });
  });

  it("stays with its case when others come in above", () => {
    expect(withRows({ index: 0, alert: "a" }, rows("hot", "a", "b"), 3)).toEqual({ index: 1, alert: "a" });
  });

  it("never takes up another case by itself", () => {
    const left = withRows({ index: 1, alert: "b" }, rows("a", "c"), 2);
    expect(left).toEqual({ index: 1, alert: "b" });
    expect(isListed(left, rows("a", "c"))).toBe(false);
  });

  it("goes on to what stands in the place of a case that has left", () => {
    const left = { index: 1, alert: "b" };
    expect(moved(left, 1, rows("a", "c", "d"), 3)).toEqual({ index: 1, alert: "c" });
    expect(moved(left, -1, rows("a", "c", "d"), 3)).toEqual({ index: 0, alert: "a" });
  });

  it("stops at both ends", () => {
    expect(moved({ index: 0, alert: "a" }, -1, rows("a", "b"), 2).alert).toBe("a");
    expect(moved({ index: 1, alert: "b" }, 1, rows("a", "b"), 2).alert).toBe("b");
    expect(withRows({ index: 5, alert: "z" }, rows("a"), 1).index).toBe(0);
  });

  it("waits for a row that is not fetched yet, and takes it then", () => {
    const waiting = moved({ index: 1, alert: "b" }, 1, rows("a", "b"), 200);
    expect(waiting).toEqual({ index: 2, alert: null });
    expect(withRows(waiting, rows("a", "b", "c"), 200)).toEqual({ index: 2, alert: "c" });
  });
});
