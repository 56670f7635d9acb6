/** How Russian writes numbers and dates. */
import { LOCALES } from "../../language";
import { pluralIn } from "../plural";

export const LOCALE = LOCALES.ru;

export const plural = pluralIn(LOCALE);

/** Return a day without its year: "27 нояб.". */
export function dayOf(at: Date): string {
  return at.toLocaleDateString(LOCALE, { day: "numeric", month: "short" });
}

/** Return a date as the service writes it, "2026-11-27", as Russian does: "27.11.2026". */
export function dateOf(iso: string): string {
  return iso.split("-").toReversed().join(".");
}

export function days(n: number): string {
  return `${n.toLocaleString(LOCALE)} ${plural(n, { one: "день", few: "дня", many: "дней", other: "дня" })}`;
}
