import { describe, expect, it } from "vitest";
import { CLIP } from "./clip-strings";
import { carriers, factOf, headline, looked, traceTexts } from "./clip-view";
import type { ClipMessage } from "./wire";

const coverage = { call_s: 60, face_s: 40, speech_s: 20, face_missed_s: {}, speech_missed_s: {} };

function clip(state: string, credentials: object | null = { state: "absent" }, signals: object[] = []): ClipMessage {
  return { answer: { state, coverage, signals }, credentials, marks: [], invisible_mark: "", traces: [], is_still: false, said: state } as unknown as ClipMessage;
}

describe("facts", () => {
  it("are what the file says of itself, as far as it is intact", () => {
    expect(factOf(clip("bona_fide"))).toBe("absent");
    expect(factOf(clip("bona_fide", { state: "intact", is_generated: true }))).toBe("generated");
    expect(factOf(clip("bona_fide", { state: "intact", is_generated: false }))).toBe("signed");
    expect(factOf(clip("bona_fide", { state: "changed", is_generated: true }))).toBe("changed");
    expect(factOf(clip("bona_fide", null))).toBeNull();
  });

  it("come first in the one big sentence, and a doubt by a tag says what it rests on", () => {
    const mark = { generator: "Sora", pictures: 5, of: 12, jumps: true };
    expect(headline({ ...clip("bona_fide"), marks: [mark], said: "spoof" }, CLIP.en)).toContain("the mark of Sora");
    expect(headline(clip("bona_fide", { state: "intact", is_generated: true }), CLIP.ru)).toBe(CLIP.ru.fact.generated);
    expect(headline({ ...clip("bona_fide"), said: "suspect" }, CLIP.kk)).toBe(CLIP.kk.named);
    expect(headline({ ...clip("suspect"), said: "suspect" }, CLIP.en)).toBe(CLIP.en.headline.suspect);
    expect(headline({ ...clip("undecided"), answer: null, is_still: true, said: "undecided" }, CLIP.en)).toBe(CLIP.en.still);
    expect(traceTexts({ ...clip("bona_fide"), traces: [{ kind: "program", generator: "Sora", text: "software: Sora 2" }] }, CLIP.en)[0]).toContain("software: Sora 2");
  });
});

it("names what carried the estimate once, and how much was judged", () => {
  const found = clip("spoof", null, [
    { signal: "face", state: "spoof" },
    { signal: "face", state: "suspect" },
    { signal: "voice", state: "bona_fide" },
  ]);
  expect(carriers(found, CLIP.ru)).toBe("лицо");
  expect(looked(found, CLIP.en)).toBe("40 s of face and 20 s of speech of 60 s were judged.");
});

it("says the same in every language", () => {
  const shape = (value: unknown): unknown =>
    typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shape(part)]))
      : typeof value === "function"
        ? value.length
        : typeof value;
  expect(shape(CLIP.kk)).toEqual(shape(CLIP.en));
  expect(shape(CLIP.ru)).toEqual(shape(CLIP.en));
});
