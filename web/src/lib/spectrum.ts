/** An explanation of the voice -> what is drawn of it, and what is said of it. Any grid size. Pure. */
import { fine, position } from "./format";
import { smooth, type Grid } from "./heat";
import type { VoiceWords } from "./voice_words";
import type { VoiceExplanationMessage } from "./wire";

/**
 * Grey of the quietest and the loudest cell: the loudest is lighter than the strongest evidence over the quietest, so
 * that evidence is told from loudness without colours. The service draws with the same: `stream/overlay.py`.
 */
export const GREY = [248, 160] as const;

/** Labels of the frequency axis, as shares of the highest band's upper edge. */
const BANDS = [0.25, 0.5, 0.75, 1] as const;

/** A frame over the picture, as shares of its width and height, from the upper left. */
export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A label at a share of an axis, from the left or from below. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** Return the sound in grey as RGBA by rows, high bands above: darker where it is louder. */
export function soundPixels(energyDb: Grid, width: number, height: number): Uint8ClampedArray<ArrayBuffer> {
  const floor = Math.min(...energyDb.flat(), -1);
  const [quiet, loud] = GREY;
  const shares = energyDb.toReversed().map((row) => row.map((db) => 1 - db / floor));
  const pixels = new Uint8ClampedArray(width * height * 4);
  smooth(shares, width, height).forEach((share, i) => {
    const grey = quiet + (loud - quiet) * share;
    pixels.set([grey, grey, grey, 255], i * 4);
  });
  return pixels;
}

/** Return the contributions as the shares that the heat's scale is made for: 0.5 says nothing; high bands above. */
export function shares(spoofPercent: Grid): Grid {
  return spoofPercent.toReversed().map((row) => row.map((percent) => 0.5 + percent / 200));
}

/** Return a frame about each of the most suspicious stretches and its bands. */
export function frames({ start_s, end_s, top_hz, stretches, band }: VoiceExplanationMessage): Frame[] {
  if (!band) return [];
  return stretches.map((stretch) => ({
    x: (stretch.start_s - start_s) / (end_s - start_s),
    width: (stretch.end_s - stretch.start_s) / (end_s - start_s),
    y: 1 - band.high_hz / top_hz,
    height: (band.high_hz - band.low_hz) / top_hz,
  }));
}

/** Return a label for every whole second of the window. */
export function timeTicks({ start_s, end_s }: VoiceExplanationMessage): Tick[] {
  const first = Math.ceil(start_s);
  return Array.from({ length: Math.floor(end_s) - first + 1 }, (_, i) => ({
    at: (first + i - start_s) / (end_s - start_s),
    text: position(first + i),
  }));
}

/** Return a label for each quarter of the frequencies, in kHz. */
export function bandTicks({ top_hz }: VoiceExplanationMessage, words: VoiceWords): Tick[] {
  return BANDS.map((at) => ({ at, text: kilohertz(at * top_hz, words) }));
}

/** Return in words when and at which frequencies the voice is most suspicious. */
export function mostSuspicious({ top_hz, stretches, band }: VoiceExplanationMessage, words: VoiceWords): string {
  if (!band || !stretches.length) return words.none;
  const times = stretches.map(({ start_s, end_s }) => `${fine(start_s, words.point)}–${fine(end_s, words.point)}`);
  const [low, high] = [kilohertz(band.low_hz, words), kilohertz(band.high_hz, words)];
  const isOpen = [band.low_hz <= 0, band.high_hz >= top_hz];
  const where = isOpen[0] ? (isOpen[1] ? words.all : words.below(high)) : isOpen[1] ? words.above(low) : words.between(low, high);
  return words.most(times.join(words.and), where);
}

/** Return a frequency in kHz with one digit behind the point at most. */
function kilohertz(hz: number, words: VoiceWords): string {
  return String(Math.round(hz / 100) / 10).replace(".", words.point);
}
