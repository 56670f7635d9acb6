/** The texts of the pages, in the reader's language; `texts/` has every language. */
import { LOCALES, language } from "./language";
import { TEXTS } from "./texts";
import type { Signal } from "./wire";

const { call, numbers, page } = TEXTS[language];

export const LOCALE = LOCALES[language];
export const { dateOf, dayOf } = numbers;
export const { UNITS, STATE, REASON, WHY, MADE, NEXT, COVERAGE, TIMELINE, HEAT } = call;
export const { APP, LANGUAGE, CHECK, ERROR, TOKEN, CONNECTION, VIEWER, ALERT, LABEL, PROMISE, LOG } = page;

/** Return the name of a signal; faces are numbered only where there are several. */
export function signalName(signal: Signal, track: number, several: boolean): string {
  return several && track > 0 ? `${call.SIGNAL[signal]} ${track}` : call.SIGNAL[signal];
}

const ADVICE: Record<string, string> = { verify_identity: NEXT.spoof };

/** Return what to do by the server's key; a key that we do not know yet gets the safest text. */
export function adviceText(key: string): string {
  return ADVICE[key] ?? NEXT.spoof;
}

/** Return where a call comes from, in words. */
export function sourceName(source: string): string {
  return call.SOURCE[source] ?? source;
}

/** Return why a call ended, in words; free text of the server stays as it is. */
export function causeText(cause: string): string {
  return call.CAUSE[cause] ?? cause;
}
