import { expect, test } from "vitest";
import { subprotocols } from "./auth.svelte";
import { backoffMs, EventStreamParser } from "./stream";

const STREAM = ': keep-alive\n\nid: 4\ndata: {"seq":4}\n\ndata: one\ndata: two\n\ndata:three\r\n\r\nevent: x\n\n';
const EVENTS = ['{"seq":4}', "one\ntwo", "three"];

test("an event stream gives the same events however it is cut", () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const parser = new EventStreamParser();
    const found: string[] = [];
    for (let i = 0; i < STREAM.length; i += size) found.push(...parser.push(STREAM.slice(i, i + size)));
    expect(found).toEqual(EVENTS);
  }
});

test("an event without its blank line is not given yet", () => {
  expect(new EventStreamParser().push("data: half\n")).toEqual([]);
});

test("waits double up to 15 s and differ by chance", () => {
  expect([1, 2, 3, 4, 5, 6, 50].map((n) => backoffMs(n, 1))).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000]);
  expect(backoffMs(6, 0)).toBe(7500);
});

test("the token travels as a base64url subprotocol beside our own", () => {
  expect(subprotocols(null)).toEqual(["kua.v1"]);
  expect(subprotocols("ключ?>~")).toEqual(["kua.v1", "bearer.0LrQu9GO0Yc_Pn4"]);
});
