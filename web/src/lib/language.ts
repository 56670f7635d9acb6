/** Which language the pages speak: the reader's choice, else the first of the browser's that we speak. */

export const LANGUAGES = [
  { id: "kk", name: "Қазақша", short: "Қаз" },
  { id: "ru", name: "Русский", short: "Рус" },
  { id: "en", name: "English", short: "Eng" },
] as const;

export type Language = (typeof LANGUAGES)[number]["id"];

/**
 * How numbers and times are written.
 *
 * Chromium says that it knows kk-KZ and then writes 1,234.5 and "M11 27": Kazakh numbers are written as in Kazakhstan's
 * Russian, which is the same, and Kazakh months are ours (`texts/kk/numbers.ts`).
 */
export const LOCALES: Readonly<Record<Language, string>> = { kk: "ru-KZ", ru: "ru-RU", en: "en-GB" };

const KEY = "kua-language";

/** Return the reader's first language that we have texts in; English if there is none. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const found = known(tag.toLowerCase().split("-")[0]);
    if (found) return found;
  }
  return "en";
}

/** Return what the reader chose before, if it is still a language of ours; else what the browser wants. */
export function languageOf(kept: string | null, wanted: readonly string[]): Language {
  return known(kept) ?? pickLanguage(wanted);
}

/** Keep a choice for this and the next pages; where nothing can be kept, it holds for this page. */
export function keepLanguage(chosen: Language): void {
  storage()?.setItem(KEY, chosen);
}

/** The language of this page, chosen once as it loads; a test, without a page, reads English. */
export const language: Language =
  typeof document === "undefined" ? "en" : languageOf(storage()?.getItem(KEY) ?? null, navigator.languages);

function known(id: string | null | undefined): Language | undefined {
  return LANGUAGES.find((one) => one.id === id)?.id;
}

/** Within another site's frame a browser may refuse even to name its storage. */
function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
