/** How Kazakh writes numbers and dates. After a number a word stays in the singular. */
import { LOCALES } from "../../language";
import { pluralIn } from "../plural";

export const LOCALE = LOCALES.kk;

export const plural = pluralIn("kk-KZ");

/** As in Unicode CLDR; browsers come without them. */
const MONTHS = ["қаң.", "ақп.", "нау.", "сәу.", "мам.", "мау.", "шіл.", "там.", "қыр.", "қаз.", "қар.", "жел."];

/** Return a day without its year: "27 қар.". */
export function dayOf(at: Date): string {
  return `${at.getDate()} ${MONTHS[at.getMonth()]}`;
}

/** Return a date as the service writes it, "2026-11-27", as Kazakh does: "27.11.2026". */
export function dateOf(iso: string): string {
  return iso.split("-").toReversed().join(".");
}

export function days(n: number): string {
  return `${n.toLocaleString(LOCALE)} күн`;
}
