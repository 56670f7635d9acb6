/** Readings of a call -> what its charts draw. Pure. */
import type { State, VerdictMessage } from "./wire";

/** Readings further apart than this are not joined by a line [s]. */
const GAP_S = 3;

type Column = (number | null)[];

export interface Series {
  readonly time: number[];
  /** Accumulated evidence of all signals together: what the alert is raised by [nat]. */
  readonly together: Column;
  /** Of the most suspicious face and of the voice [nat]. */
  readonly face: Column;
  readonly voice: Column;
  /** Of the newest window, least genuine face first [nat]. */
  readonly faceLlr: Column;
  readonly voiceLlr: Column;
}

export interface Span {
  readonly state: State;
  readonly startS: number;
  readonly endS: number;
}

/** Return the columns of the timeline; a row of nulls stands where readings are missing. */
export function toSeries(readings: readonly VerdictMessage[]): Series {
  const series: Series = { time: [], together: [], face: [], voice: [], faceLlr: [], voiceLlr: [] };
  let before = -Infinity;
  for (const reading of readings) {
    if (Number.isFinite(before) && reading.time_s - before > GAP_S)
      pushRow(series, (before + reading.time_s) / 2, null);
    pushRow(series, reading.time_s, reading);
    before = reading.time_s;
  }
  return series;
}

/** Return the stretches during which the state was one of `states`; each lasts until the reading that ends it. */
export function toSpans(readings: readonly VerdictMessage[], states: readonly State[]): Span[] {
  const spans: { state: State; startS: number; endS: number }[] = [];
  let open: { state: State; startS: number; endS: number } | null = null;
  for (const { state, time_s } of readings) {
    const near: boolean = open !== null && time_s - open.endS <= GAP_S;
    if (open && near) open.endS = time_s;
    if (open && near && open.state === state) continue;
    open = states.includes(state) ? { state, startS: time_s, endS: time_s } : null;
    if (open) spans.push(open);
  }
  return spans;
}

/** Return the SVG path of the evidence of a call within `width` x `height`; `top` thresholds high. */
export function sparkline(readings: readonly VerdictMessage[], width: number, height: number, top: number): string {
  const shown = thinned(readings, width);
  const end = Math.max(shown.at(-1)?.time_s ?? 0, 1);
  const begin = shown[0]?.time_s ?? 0;
  const scale = width / Math.max(end - begin, 1);
  return shown
    .map((reading, i) => {
      const share = Math.min(reading.evidence_nat / reading.threshold_nat, top) / top;
      const x = ((reading.time_s - begin) * scale).toFixed(1);
      return `${i ? "L" : "M"}${x} ${(height - share * height).toFixed(1)}`;
    })
    .join("");
}

/** Keep about `most` readings, and always the last one. */
function thinned(readings: readonly VerdictMessage[], most: number): readonly VerdictMessage[] {
  const step = Math.ceil(readings.length / Math.max(most, 1));
  if (step <= 1) return readings;
  return readings.filter((_, i) => (readings.length - 1 - i) % step === 0);
}

function pushRow(series: Series, timeS: number, reading: VerdictMessage | null): void {
  const faces = reading?.signals.filter((signal) => signal.signal === "face") ?? [];
  const voice = reading?.signals.find((signal) => signal.signal === "voice");
  const faceLlrs = faces.flatMap((face) => (face.llr === null ? [] : [face.llr]));
  series.time.push(timeS);
  series.together.push(reading?.evidence_nat ?? null);
  series.face.push(faces.length ? Math.max(...faces.map((face) => face.evidence_nat)) : null);
  series.voice.push(voice?.evidence_nat ?? null);
  series.faceLlr.push(faceLlrs.length ? Math.min(...faceLlrs) : null);
  series.voiceLlr.push(voice?.llr ?? null);
}
