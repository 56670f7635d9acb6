import { expect, test } from "vitest";
import { clock, duration, nat, position, secondsBetween } from "./format";

test.each([
  [-1, "0 s"],
  [23.4, "23 s"],
  [119, "119 s"],
  [185, "3 min 05 s"],
  [3720, "1 h 02 min"],
])("a duration of %d s reads %s", (seconds, text) => expect(duration(seconds)).toBe(text));

test.each([
  [0, "0:00"],
  [65.9, "1:05"],
  [3661, "1:01:01"],
])("a position of %d s reads %s", (seconds, text) => expect(position(seconds)).toBe(text));

test("evidence has one digit", () => expect([nat(0), nat(2.96), nat(10)]).toEqual(["0.0", "3.0", "10.0"]));

test("the clock names the day only if it is another", () => {
  const now = new Date(2026, 4, 7, 18, 0);
  expect(clock(new Date(2026, 4, 7, 9, 5).toISOString(), now)).toBe("09:05");
  expect(clock(new Date(2026, 4, 6, 9, 5).toISOString(), now)).toBe("6 May, 09:05");
});

test("an open end is now, and nothing lasts less than 0 s", () => {
  const now = new Date("2026-01-01T12:00:30Z");
  expect(secondsBetween("2026-01-01T12:00:00Z", null, now)).toBe(30);
  expect(secondsBetween("2026-01-01T12:00:00Z", "2026-01-01T12:00:10Z", now)).toBe(10);
  expect(secondsBetween("2026-01-01T12:01:00Z", null, now)).toBe(0);
});
