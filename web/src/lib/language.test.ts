import { expect, test } from "vitest";
import { LANGUAGES, LOCALES, language, languageOf, pickLanguage } from "./language";

test("the reader's first language that we speak is chosen", () => {
  expect(pickLanguage(["kk-KZ", "ru"])).toBe("kk");
  expect(pickLanguage(["de-DE", "ru-RU", "en"])).toBe("ru");
  expect(pickLanguage(["EN-us"])).toBe("en");
  expect(pickLanguage(["kkj"])).toBe("en");
  expect(pickLanguage(["de"])).toBe("en");
  expect(pickLanguage([])).toBe("en");
});

test("what the reader chose before comes first, unless it is no language of ours", () => {
  expect(languageOf("ru", ["kk-KZ"])).toBe("ru");
  expect(languageOf("de", ["kk-KZ"])).toBe("kk");
  expect(languageOf("", ["ru"])).toBe("ru");
  expect(languageOf(null, ["en-GB"])).toBe("en");
});

test("a test reads English", () => {
  expect(language).toBe("en");
});

test("a short name is the beginning of the whole one, so that who says what is seen is understood", () => {
  for (const { name, short } of LANGUAGES) expect(name.startsWith(short)).toBe(true);
});

test("every language writes numbers in a way that browsers know", () => {
  expect((1234.5).toLocaleString(LOCALES.en)).toBe("1,234.5");
  expect((1234.5).toLocaleString(LOCALES.ru)).toBe("1\u00a0234,5");
  expect((1234.5).toLocaleString(LOCALES.kk)).toBe("1\u00a0234,5");
});
