/** The grid of an explanation -> what is drawn over the face, and where it is strongest. Any grid size. Pure. */

/** Spoof shares 0..1 by rows from the top, evenly spread over the picture. */
export type Grid = readonly (readonly number[])[];

/** A place of the picture as shares of its width and height, from the upper left. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export type Row = "upper" | "middle" | "lower";
export type Column = "left" | "centre" | "right";
export type Feature = keyof typeof FEATURES | "edge" | "outside";

/** Where the heat is: nowhere, everywhere alike, or strongest in one place. */
export type Strongest =
  | { readonly kind: "none" }
  | { readonly kind: "even" }
  | { readonly kind: "place"; readonly at: Point; readonly row: Row; readonly column: Column; readonly feature: Feature };

/**
 * Spoof share, red, green, blue, opacity; linear in between, nothing is drawn below. Every step is darker than the
 * last, so that it is read without telling colours apart. The service draws with the same: `stream/overlay.py`.
 */
export const SCALE: readonly (readonly [number, number, number, number, number])[] = [
  [0.5, 255, 226, 110, 0],
  [0.75, 240, 118, 40, 0.5],
  [1, 128, 16, 96, 0.6],
];

/** Shares that differ by less are not worth pointing out. */
const EVEN = 0.1;
/** The strongest place is sought in the grid blurred by this much, as a share of the picture's side. */
const BLUR = 0.08;
/** What belongs to the strongest place: all that touches it and is within this share of the grid's range. */
const NEAR = 0.15;

/** Where the parts of an aligned face lie: its eyes and mouth are brought to these places before it is judged. */
const FEATURES = {
  forehead: { x: 0.5, y: 0.24 },
  eyes: { x: 0.5, y: 0.39 },
  eyeLeft: { x: 0.38, y: 0.39 },
  eyeRight: { x: 0.62, y: 0.39 },
  nose: { x: 0.5, y: 0.52 },
  cheekLeft: { x: 0.34, y: 0.57 },
  cheekRight: { x: 0.66, y: 0.57 },
  mouth: { x: 0.5, y: 0.66 },
  chin: { x: 0.5, y: 0.82 },
} satisfies Record<string, Point>;

/** The outline of an aligned face of average build. */
const FACE = { x: 0.5, y: 0.52, width: 0.27, height: 0.38 };
const EDGE = 0.85;
const OUTSIDE = 1.35;

/** Return the colours of a grid as RGBA, by rows; square unless a height is given. */
export function heatPixels(grid: Grid, width: number, height = width): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(width * height * 4);
  smooth(grid, width, height).forEach((share, i) => pixels.set(colour(share), i * 4));
  return pixels;
}

/** Return the colour of a share: red, green, blue, opacity, each 0..255. */
export function colour(share: number): [number, number, number, number] {
  const upper = Math.max(1, SCALE.findIndex(([at]) => at >= Math.min(share, 1)));
  const [from, to] = [SCALE[upper - 1], SCALE[upper]] as [(typeof SCALE)[number], (typeof SCALE)[number]];
  const part = Math.min(Math.max((share - from[0]) / (to[0] - from[0]), 0), 1);
  const mix = (i: 1 | 2 | 3 | 4): number => from[i] + (to[i] - from[i]) * part;
  return [mix(1), mix(2), mix(3), mix(4) * 255];
}

/** Return a grid as a smooth picture, its shares by rows, nowhere beyond the grid's own range; square by default. */
export function smooth(grid: Grid, width: number, height = width): number[] {
  const values = grid.flat();
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const columns = taps(grid[0]?.length ?? 0, width);
  const narrow = grid.map((row) => columns.map((column) => weighed(column, (i) => row[i] ?? 0)));
  return taps(grid.length, height).flatMap((row) =>
    columns.map((_, x) => Math.min(Math.max(weighed(row, (i) => narrow[i]?.[x] ?? 0), low), high)),
  );
}

/** Return where the heat is strongest. */
export function strongest(grid: Grid): Strongest {
  const values = grid.flat();
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (high <= (SCALE[0]?.[0] ?? 0)) return { kind: "none" };
  if (high - low < EVEN) return { kind: "even" };
  const at = peak(grid, NEAR * (high - low));
  return { kind: "place", at, row: rowOf(at), column: columnOf(at), feature: featureOf(at) };
}

type Tap = readonly (readonly [index: number, weight: number])[];

/** Return for each of `n` pixels which of `cells` it is mixed of: cubic convolution, the edge repeated. */
function taps(cells: number, n: number): Tap[] {
  return Array.from({ length: n }, (_, pixel) => {
    const place = ((pixel + 0.5) * cells) / n - 0.5;
    const first = Math.floor(place) - 1;
    return [0, 1, 2, 3].map((i) => {
      const index = Math.min(Math.max(first + i, 0), cells - 1);
      return [index, cubic(place - first - i)] as const;
    });
  });
}

/** Keys 1981, with the parameter that OpenCV takes. */
function cubic(distance: number): number {
  const a = -0.75;
  const d = Math.abs(distance);
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * (d ** 3 - 5 * d ** 2 + 8 * d - 4) : 0;
}

function weighed(tap: Tap, value: (index: number) => number): number {
  return tap.reduce((sum, [index, weight]) => sum + weight * value(index), 0);
}

/** Return the middle of the hottest patch. */
function peak(grid: Grid, reach: number): Point {
  const soft = blurred(grid);
  const top = Math.max(...soft.flat());
  const row = soft.findIndex((cells) => cells.includes(top));
  const patch = touching(soft, row, soft[row]?.indexOf(top) ?? 0, top - reach);
  const mean = (of: (cell: readonly [number, number]) => number): number =>
    patch.reduce((sum, cell) => sum + of(cell), 0) / patch.length;
  const columns = grid[0]?.length ?? 1;
  return { x: mean(([, x]) => (x + 0.5) / columns), y: mean(([y]) => (y + 0.5) / grid.length) };
}

/** Return the cells of at least `least` that hang together with the first. */
function touching(grid: Grid, row: number, column: number, least: number): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [[row, column]];
  const seen = new Set([`${row} ${column}`]);
  for (const [y, x] of found) {
    for (const [v, u] of [[y - 1, x], [y + 1, x], [y, x - 1], [y, x + 1]] as const) {
      if ((grid[v]?.[u] ?? -1) < least || seen.has(`${v} ${u}`)) continue;
      seen.add(`${v} ${u}`);
      found.push([v, u]);
    }
  }
  return found;
}

function blurred(grid: Grid): number[][] {
  const columns = grid[0]?.length ?? 1;
  return grid.map((cells, y) =>
    cells.map((_, x) => {
      let [sum, weights] = [0, 0];
      grid.forEach((others, v) =>
        others.forEach((value, u) => {
          const distance = Math.hypot((u - x) / columns, (v - y) / grid.length) / BLUR;
          const weight = Math.exp(-(distance ** 2) / 2);
          sum += weight * value;
          weights += weight;
        }),
      );
      return sum / weights;
    }),
  );
}

function rowOf({ y }: Point): Row {
  return y < 0.45 ? "upper" : y < 0.6 ? "middle" : "lower";
}

function columnOf({ x }: Point): Column {
  return x < 0.42 ? "left" : x <= 0.58 ? "centre" : "right";
}

function featureOf(at: Point): Feature {
  const out = Math.hypot((at.x - FACE.x) / FACE.width, (at.y - FACE.y) / FACE.height);
  if (out > OUTSIDE) return "outside";
  const away = ([, place]: [string, Point]): number => Math.hypot(at.x - place.x, at.y - place.y);
  const nearest = (Object.entries(FEATURES) as [keyof typeof FEATURES, Point][]).sort((a, b) => away(a) - away(b))[0];
  if (!nearest) return "edge";
  return out > EDGE && away(nearest) > 0.13 ? "edge" : nearest[0];
}
