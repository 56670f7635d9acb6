import { describe, expect, it } from "vitest";
import { LANGUAGES, type Language } from "../language";
import { TEXTS } from ".";
import { pluralIn } from "./plural";

/** What a language must have: keys, how many arguments a text takes, how long a list is. */
function shape(value: unknown): unknown {
  if (typeof value === "function") return `text of ${value.length}`;
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shape(part)]));
}

/** Every text by its path; of those that take arguments what they make of plain ones. */
function flat(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, String((value as (...given: unknown[]) => unknown)(...GIVEN.slice(0, value.length)))]];
  return Object.entries(value as object).flatMap(([key, part]) => flat(part, path ? `${path}.${key}` : key));
}

/** No text minds that a number comes as text. */
const GIVEN = ["1", "2", "3", "4"];

const OTHERS = LANGUAGES.map(({ id }) => id).filter((id) => id !== "en");

/** Names of ours and of others, and what is no language. */
const SAME = /APP\.name|HELP\.keys\.\d+\.0|DETAIL\.report|DETAIL\.line|DETAIL\.decided|WEBHOOKS\.urlHint|VIEWER\.meta|LOG\.stake|HEAT\.alt$|HAND\.by|DETAIL\.digest|reasonTitle/;

function texts(language: Language): [string, string][] {
  const { numbers: _, ...said } = TEXTS[language];
  return flat(said);
}

describe.each(OTHERS)("%s", (language) => {
  it("has the shape of English: no text is missing, none takes other arguments, no list is shorter", () => {
    expect(shape(TEXTS[language])).toEqual(shape(TEXTS.en));
  });

  it("has its keys in the order of English, which lists show them in", () => {
    expect(JSON.stringify(shape(TEXTS[language]))).toBe(JSON.stringify(shape(TEXTS.en)));
  });

  it("leaves nothing in English or empty", () => {
    const english = new Map(texts("en"));
    const left = texts(language).filter(([path, text]) => !SAME.test(path) && (text === english.get(path) || (!text && english.get(path))));
    expect(left).toEqual([]);
  });

  it("is in Cyrillic letters but for names and signs", () => {
    const latin = texts(language).filter(([path, text]) => !SAME.test(path) && !/[а-яё]/i.test(text) && /[a-z]/i.test(text));
    expect(latin).toEqual([]);
  });

  it("mixes no Latin letter into a Cyrillic word", () => {
    expect(texts(language).filter(([path, text]) => !SAME.test(path) && /[a-z][а-яёәғқңөұүһі]|[а-яёәғқңөұүһі][a-z]/i.test(text))).toEqual([]);
  });
});

it("never says that anything is genuine by itself, nor speaks as the field does", () => {
  for (const { id } of LANGUAGES) {
    expect(texts(id).filter(([, text]) => /bona.?fide|spoof|спуф/i.test(text))).toEqual([]);
  }
});

it("says in every language that it is an estimate and no advice of a lawyer", () => {
  expect(TEXTS.en.page.APP.footer("")).toBe("An estimate, not a proof. Not legal advice.");
  expect(TEXTS.ru.page.APP.footer("")).toBe("Это оценка, а не доказательство. Это не юридическая консультация.");
  expect(TEXTS.kk.page.APP.footer("")).toBe("Бұл — баға, дәлел емес. Бұл заң кеңесі емес.");
});

it("counts as each language does", () => {
  const ru = [1, 2, 5, 11, 21, 22, 25, 111, 1001].map(TEXTS.ru.numbers.days);
  expect(ru).toEqual(["1 день", "2 дня", "5 дней", "11 дней", "21 день", "22 дня", "25 дней", "111 дней", "1\u00a0001 день"]);
  expect([1, 2, 21].map(TEXTS.kk.numbers.days)).toEqual(["1 күн", "2 күн", "21 күн"]);
  expect([1, 2, 21].map(TEXTS.en.numbers.days)).toEqual(["1 day", "2 days", "21 days"]);
  expect(TEXTS.ru.call.COVERAGE.dropped(21, 3, "1,5")).toBe("21 кадр, 3 отрезка, 1,5 с звука");
  expect(TEXTS.kk.desk.QUEUE.count(1200)).toBe("1\u00a0200 іс");
});

it("takes the other form where a word has none of its own", () => {
  expect(pluralIn("ru-RU")(1, { other: "звонка" })).toBe("звонка");
});

it("names the day as each language does, in browsers that know no Kazakh too", () => {
  const at = new Date(2026, 10, 27);
  expect(TEXTS.kk.numbers.dayOf(at)).toBe("27 қар.");
  expect(TEXTS.ru.numbers.dayOf(at)).toBe("27 нояб.");
  expect(TEXTS.en.numbers.dayOf(at)).toBe("27 Nov");
});
