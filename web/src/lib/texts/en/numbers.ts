/** How English writes numbers and dates. */
import { LOCALES } from "../../language";
import { pluralIn } from "../plural";

export const LOCALE = LOCALES.en;

export const plural = pluralIn(LOCALE);

/** Return a day without its year: "27 Nov". */
export function dayOf(at: Date): string {
  return at.toLocaleDateString(LOCALE, { day: "numeric", month: "short" });
}

/** Return a date as the service writes it, "2026-11-27", as English does: as it is. */
export function dateOf(iso: string): string {
  return iso;
}

export function days(n: number): string {
  return `${n.toLocaleString(LOCALE)} ${plural(n, { one: "day", other: "days" })}`;
}
