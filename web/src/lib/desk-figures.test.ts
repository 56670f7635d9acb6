import { describe, expect, it } from "vitest";
import { drawn, judged } from "./desk-figures";
import type { DayMessage, WeekMessage } from "./wire";

const day = (call_hours: number, face_share: number | null, speech_share: number | null): DayMessage =>
  ({ call_hours, face_share, speech_share }) as DayMessage;
const week = (monday: string, low: number, median: number, high: number): WeekMessage =>
  ({ week: monday, low, median, high }) as WeekMessage;

describe("coverage", () => {
  it("weighs days by their hours", () => {
    expect(judged([day(1, 1, 0), day(0, null, null), day(3, 0.2, 0.4)])).toEqual({ face: 0.4, speech: expect.closeTo(0.3) });
  });

  it("says nothing without calls", () => {
    expect(judged([day(0, null, null)])).toBeNull();
    expect(judged([])).toBeNull();
  });
});

describe("drift", () => {
  it("is drawn by date: a week without calls leaves its room", () => {
    const shape = drawn([week("2026-10-05", -1, 0, 1), week("2026-10-12", -1, 0, 1), week("2026-10-26", -1, 1, 1)], [0, 300, 0, 100]);
    expect(shape.dots.map(([x]) => x)).toEqual([0, 100, 300]);
    expect(shape.line).toBe("0,50 100,50 300,0");
    expect(shape.zero).toBe(50);
    expect(shape.band).toBe("0,0 100,0 300,0 300,100 100,100 0,100");
  });

  it("puts a single week into the middle and keeps zero within the axis", () => {
    const shape = drawn([week("2026-10-05", 2, 3, 4)], [0, 300, 0, 100]);
    expect(shape.dots).toEqual([[150, 20]]);
    expect([shape.top, shape.bottom, shape.zero]).toEqual([4, -1, 80]);
  });
});
