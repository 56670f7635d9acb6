/** Figures of the desk -> what is drawn of them. Pure. */
import type { DayMessage, WeekMessage } from "./wire";

export interface Judged {
  readonly face: number;
  readonly speech: number;
}

/** Return the shares of the call time in which a face and speech were judged, over all days; null without calls. */
export function judged(days: readonly DayMessage[]): Judged | null {
  const hours = sum(days, (day) => (day.face_share === null ? 0 : day.call_hours));
  if (!hours) return null;
  return {
    face: sum(days, (day) => (day.face_share ?? 0) * day.call_hours) / hours,
    speech: sum(days, (day) => (day.speech_share ?? 0) * day.call_hours) / hours,
  };
}

export interface Drawn {
  /** Points of the band from 10 to 90 %, as of an SVG polygon. */
  readonly band: string;
  /** Points of the median, as of an SVG polyline. */
  readonly line: string;
  readonly dots: readonly (readonly [number, number])[];
  /** Height of 0 nat. */
  readonly zero: number;
  /** Ends of the axis [nat]. */
  readonly top: number;
  readonly bottom: number;
}

/**
 * Return how weeks are drawn in a box: by their dates, so that a week without calls is a gap that is seen.
 *
 * @param box Edges of the drawing: left, right, upper, lower.
 */
export function drawn(weeks: readonly WeekMessage[], box: readonly [number, number, number, number]): Drawn {
  const [left, right, upper, lower] = box;
  const top = Math.max(1, ...weeks.map((week) => week.high));
  const bottom = Math.min(-1, ...weeks.map((week) => week.low));
  const times = weeks.map((week) => Date.parse(week.week));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const x = (i: number): number => rounded(to > from ? left + ((right - left) * ((times[i] ?? from) - from)) / (to - from) : (left + right) / 2);
  const y = (llr: number): number => rounded(upper + ((lower - upper) * (top - llr)) / (top - bottom));
  const high = weeks.map((week, i) => `${x(i)},${y(week.high)}`);
  const low = weeks.map((week, i) => `${x(i)},${y(week.low)}`).toReversed();
  const dots = weeks.map((week, i) => [x(i), y(week.median)] as const);
  return { band: [...high, ...low].join(" "), line: dots.map((dot) => dot.join(",")).join(" "), dots, zero: y(0), top, bottom };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function sum<T>(of: readonly T[], value: (item: T) => number): number {
  return of.reduce((total, item) => total + value(item), 0);
}
