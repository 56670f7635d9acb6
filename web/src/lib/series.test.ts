import { expect, test } from "vitest";
import { signal, verdict } from "./samples";
import { sparkline, toSeries, toSpans } from "./series";

test("the face column shows the most suspicious of several faces", () => {
  const faces = [signal({ evidence_nat: 1, llr: 0.5 }), signal({ track: 2, evidence_nat: 3, llr: -2 })];
  const series = toSeries([verdict(1, { evidence_nat: 2.5, signals: [...faces, signal({ signal: "voice", track: 0, llr: null })] })]);
  expect(series).toEqual({ time: [1], together: [2.5], face: [3], voice: [0], faceLlr: [-2], voiceLlr: [null] });
});

test("a signal that the call does not have leaves its columns empty", () => {
  const series = toSeries([verdict(1, { signals: [] })]);
  expect([series.face, series.voice, series.faceLlr, series.voiceLlr]).toEqual([[null], [null], [null], [null]]);
});

test("a row of nulls breaks the line where readings are missing", () => {
  const series = toSeries([verdict(1), verdict(1.5), verdict(11.5)]);
  expect(series.time).toEqual([1, 1.5, 6.5, 11.5]);
  expect(series.face).toEqual([0, 0, null, 0]);
});

test("a span lasts from its first reading to the reading that ends it", () => {
  const states = ["bona_fide", "suspect", "suspect", "spoof", "spoof", "bona_fide", "spoof"] as const;
  const readings = states.map((state, i) => verdict(i, { state }));
  expect(toSpans(readings, ["spoof"])).toEqual([
    { state: "spoof", startS: 3, endS: 5 },
    { state: "spoof", startS: 6, endS: 6 },
  ]);
  expect(toSpans(readings, ["suspect", "spoof"])[0]).toEqual({ state: "suspect", startS: 1, endS: 3 });
});

test("a span does not reach over a gap", () => {
  const spans = toSpans([verdict(1, { state: "spoof" }), verdict(60, { state: "spoof" })], ["spoof"]);
  expect(spans.map((span) => [span.startS, span.endS])).toEqual([
    [1, 1],
    [60, 60],
  ]);
});

test("a sparkline fills its box: no evidence at the bottom, the top at `top` thresholds and above", () => {
  const at = (time: number, evidence: number) => verdict(time, { evidence_nat: evidence });
  expect(sparkline([at(10, 0), at(20, 4), at(30, 99)], 100, 40, 2)).toBe("M0.0 40.0L50.0 20.0L100.0 0.0");
  expect(sparkline([], 100, 40, 2)).toBe("");
});

test("a long call's sparkline is thinned but ends with the newest reading", () => {
  const path = sparkline(
    Array.from({ length: 1000 }, (_, i) => verdict(i)),
    100,
    40,
    2,
  );
  expect(path.split("L").length).toBeLessThanOrEqual(101);
  expect(path.endsWith("L100.0 40.0")).toBe(true);
});
