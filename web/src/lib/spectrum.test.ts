import { expect, test } from "vitest";
import { SCALE, heatPixels } from "./heat";
import { voiceExplanation } from "./samples";
import { GREY, bandTicks, frames, mostSuspicious, shares, soundPixels, timeTicks } from "./spectrum";
import { VOICE_WORDS } from "./voice_words";

const luma = (red: number, green: number, blue: number): number => 0.299 * red + 0.587 * green + 0.114 * blue;

test("loud is dark, quiet is light, and low bands lie below", () => {
  const pixels = soundPixels(
    [
      [0, -48],
      [-48, -24],
    ],
    2,
    2,
  );
  const grey = (i: number): number => pixels[i * 4] ?? NaN;
  const [quiet, loud] = GREY;
  expect([grey(0), grey(2), grey(3)]).toEqual([quiet, loud, quiet]);
  expect(grey(1)).toBe((quiet + loud) / 2);
  expect([...pixels].filter((_, i) => i % 4 === 3)).toEqual([255, 255, 255, 255]);
});

test("only what speaks for a spoof is coloured, as strongly as the heat of a face", () => {
  const pixels = heatPixels(
    shares([
      [0, -100],
      [100, 50],
    ]),
    2,
    2,
  );
  const opacity = [0, 1, 2, 3].map((i) => pixels[i * 4 + 3]);
  expect(opacity).toEqual([153, 128, 0, 0]);
});

test("the strongest evidence over the quietest sound is darker than the loudest sound", () => {
  const [, red, green, blue, opacity] = SCALE.at(-1) ?? [0, 0, 0, 0, 0];
  expect(luma(red, green, blue) * opacity + GREY[0] * (1 - opacity)).toBeLessThan(GREY[1] - 20);
});

test("frames lie about the stretch and its bands", () => {
  expect(frames(voiceExplanation(1))).toEqual([{ x: 0.875, width: 0.125, y: 0, height: 0.5 }]);
  expect(frames(voiceExplanation(1, { stretches: [], band: null }))).toEqual([]);
});

test("axes are labelled in seconds of the call and in kHz", () => {
  const found = voiceExplanation(1, { start_s: 58.5, end_s: 62.5 });
  expect(timeTicks(found)).toEqual([
    { at: 0.125, text: "0:59" },
    { at: 0.375, text: "1:00" },
    { at: 0.625, text: "1:01" },
    { at: 0.875, text: "1:02" },
  ]);
  expect(bandTicks(found, VOICE_WORDS.en).map(({ text }) => text)).toEqual(["2", "4", "6", "8"]);
});

test("the most suspicious seconds and bands are said in three languages", () => {
  const found = voiceExplanation(1, {
    stretches: [
      { start_s: 133.5, end_s: 134.5 },
      { start_s: 135.96, end_s: 136.5 },
    ],
    band: { low_hz: 5333.3, high_hz: 8000 },
  });
  expect(mostSuspicious(found, VOICE_WORDS.en)).toBe("Most suspicious: 2:13.5–2:14.5 and 2:16.0–2:16.5, above 5.3 kHz.");
  expect(mostSuspicious(found, VOICE_WORDS.ru)).toBe("Подозрительнее всего: 2:13,5–2:14,5 и 2:16,0–2:16,5, выше 5,3 кГц.");
  expect(mostSuspicious(found, VOICE_WORDS.kk)).toBe("Ең күдікті жері: 2:13,5–2:14,5 және 2:16,0–2:16,5, 5,3 кГц-тен жоғары.");
});

test.each([
  [0, 1000, "below 1 kHz"],
  [2000, 4333.3, "between 2 and 4.3 kHz"],
  [0, 8000, "at all frequencies"],
])("a band from %i to %i Hz is %s", (low_hz, high_hz, where) => {
  const said = mostSuspicious(voiceExplanation(1, { band: { low_hz, high_hz } }), VOICE_WORDS.en);
  expect(said).toBe(`Most suspicious: 2:13.5–2:14.0, ${where}.`);
});

test("where nothing stands out that is said", () => {
  expect(mostSuspicious(voiceExplanation(1, { stretches: [], band: null }), VOICE_WORDS.en)).toBe(
    "No moment stands out by itself.",
  );
});
