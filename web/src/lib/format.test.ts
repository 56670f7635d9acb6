import { expect, test } from "vitest";
import { clock, duration, hours, nat, position, rate, secondsBetween } from "./format";

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

test("call-hours have a digit after the point as long as there are few of them", () => {
  expect(hours(2.04)).toBe("2");
  expect(hours(2.34)).toBe("2.3");
  expect(hours(1234.5)).toBe("1,235");
});

test("a rate has no more digits than are known of it", () => {
  expect(rate(0.01234)).toBe("0.012");
  expect(rate(3.456)).toBe("3.5");
});
