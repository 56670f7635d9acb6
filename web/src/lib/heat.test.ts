import { expect, test } from "vitest";
import { colour, heatPixels, SCALE, smooth, strongest, type Grid, type Point, type Strongest } from "./heat";

/** A grid with one warm patch about a place. */
function patch(side: number, at: Point, low = 0.1, high = 0.95, width = 0.12): Grid {
  return Array.from({ length: side }, (_, y) =>
    Array.from({ length: side }, (_, x) => {
      const distance = Math.hypot((x + 0.5) / side - at.x, (y + 0.5) / side - at.y) / width;
      return low + (high - low) * Math.exp(-(distance ** 2) / 2);
    }),
  );
}

function placeOf(found: Strongest): Extract<Strongest, { kind: "place" }> {
  if (found.kind !== "place") throw new Error(`found ${found.kind}`);
  return found;
}

test.each([5, 7, 11, 14])("a patch is found and named on a grid of %i, whatever its size", (side) => {
  for (const [x, y, row, column, features] of [
    [0.5, 0.68, "lower", "centre", ["mouth"]],
    [0.32, 0.38, "upper", "left", ["eyeLeft"]],
    [0.68, 0.38, "upper", "right", ["eyeRight"]],
    [0.5, 0.5, "middle", "centre", ["nose"]],
    [0.5, 0.39, "upper", "centre", ["eyes"]],
    [0.5, 0.2, "upper", "centre", ["forehead"]],
    [0.08, 0.92, "lower", "left", ["outside"]],
  ] as const) {
    const found = placeOf(strongest(patch(side, { x, y })));
    expect([found.row, found.column]).toEqual([row, column]);
    expect(features).toContain(found.feature);
    expect(Math.hypot(found.at.x - x, found.at.y - y)).toBeLessThan(0.75 / side);
  }
});

test("a wide patch is pointed at in its middle, not at its first cell", () => {
  const lowerHalf = Array.from({ length: 11 }, (_, y) => Array.from({ length: 11 }, () => (y > 5 ? 0.99 : 0.2)));
  const found = placeOf(strongest(lowerHalf));
  expect(found.at.x).toBeCloseTo(0.5);
  expect(found.row).toBe("lower");
});

test("of two patches the hotter one is named, not the place between them", () => {
  const left = patch(11, { x: 0.2, y: 0.4 });
  const both = patch(11, { x: 0.8, y: 0.4 }, 0.1, 0.9).map((row, y) =>
    row.map((share, x) => Math.max(share, left[y]?.[x] ?? 0)),
  );
  expect(placeOf(strongest(both)).column).toBe("left");
});

test("a grid without heat has no place, an even one is even", () => {
  expect(strongest([[0.1, 0.5], [0.3, 0.4]])).toEqual({ kind: "none" });
  expect(strongest([[0.99, 0.98], [1, 0.97]])).toEqual({ kind: "even" });
  expect(strongest([[0.8]])).toEqual({ kind: "even" });
});

test("a smooth map passes through the middles of its cells and never leaves their range", () => {
  const grid = [
    [0.1, 0.8, 0.1],
    [0.8, 0.1, 0.6],
    [0.1, 0.8, 0.1],
  ];
  const map = smooth(grid, 9);
  expect(map).toHaveLength(81);
  for (const y of [0, 1, 2]) for (const x of [0, 1, 2]) expect(map[(3 * y + 1) * 9 + 3 * x + 1]).toBeCloseTo(grid[y]?.[x] ?? NaN);
  expect(Math.min(...map)).toBeGreaterThanOrEqual(0.1);
  expect(Math.max(...map)).toBeLessThanOrEqual(0.8);
});

test("a map of one row or column, or one cell, is drawn too", () => {
  expect(smooth([[0.2, 0.9]], 4).slice(0, 4)).toEqual(smooth([[0.2, 0.9]], 4).slice(12));
  expect(smooth([[0.7]], 2).map((share) => Math.round(share * 100))).toEqual([70, 70, 70, 70]);
});

test("colours follow the scale, and nothing is drawn where the face looks genuine", () => {
  for (const [share, red, green, blue, opacity] of SCALE) {
    expect(colour(share)).toEqual([red, green, blue, opacity * 255]);
  }
  expect(colour(0)[3]).toBe(0);
  expect(colour(0.625)).toEqual([247.5, 172, 75, 63.75]);
  const pixels = heatPixels([[0.1, 1]], 2);
  expect([...pixels.slice(0, 8)].filter((_, i) => i % 4 === 3)).toEqual([0, 153]);
});
