/** Numbers and times -> words. Pure. */
import { LOCALE, UNITS, dayOf } from "./strings";

/** Return a duration: "8 s", "3 min 05 s", "1 h 02 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} ${UNITS.second}`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} ${UNITS.minute} ${pad(whole % 60)} ${UNITS.second}`;
  return `${Math.floor(minutes / 60)} ${UNITS.hour} ${pad(minutes % 60)} ${UNITS.minute}`;
}

/** Return a place in a call as "m:ss", or "h:mm:ss" from one hour on. */
export function position(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** Return a place in a call to a tenth of a second: "m:ss.t". */
export function fine(seconds: number, point = "."): string {
  const tenths = Math.max(0, Math.round(seconds * 10));
  return `${position(Math.floor(tenths / 10))}${point}${tenths % 10}`;
}

/** Return the time of day of a UTC instant in the reader's zone, with the day unless it is that of `now`. */
export function clock(iso: string, now: Date): string {
  const at = new Date(iso);
  return at.toDateString() === now.toDateString() ? timeOf(at) : moment(at);
}

/** Return an instant with its day and time: "27 Nov, 14:05". */
export function moment(at: Date): string {
  return `${dayOf(at)}, ${timeOf(at)}`;
}

function timeOf(at: Date): string {
  return at.toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
}

/** Return evidence with one digit behind the point. */
export function nat(value: number): string {
  return value.toLocaleString(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** Return a number of an axis; uPlot's own way of writing follows the browser, not the page. */
export function plain(value: number): string {
  return value.toLocaleString(LOCALE);
}

/** Return the seconds between two instants; an open end is `now`. */
export function secondsBetween(startIso: string, endIso: string | null, now: Date): number {
  const end = endIso ? Date.parse(endIso) : now.getTime();
  return Math.max(0, (end - Date.parse(startIso)) / 1000);
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** Return call-hours, with a digit after the point as long as there are few of them. */
export function hours(value: number): string {
  return value.toLocaleString(LOCALE, { maximumFractionDigits: value < 10 ? 1 : 0 });
}

/** Return a rate in an hour: three digits at most, since it is never known better. */
export function rate(value: number): string {
  return value.toLocaleString(LOCALE, { maximumSignificantDigits: 2, maximumFractionDigits: 4 });
}
