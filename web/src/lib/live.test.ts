import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openLive, type LiveOptions, type Status } from "./live";

/** A WebSocket in the test's hand. */
class FakeSocket {
  static all: FakeSocket[] = [];
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  closed = false;

  constructor(readonly url: URL) {
    FakeSocket.all.push(this);
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  close(): void {
    this.closed = true;
  }

  fail(): void {
    this.onclose?.();
  }
}

let statuses: Status[];
let asked: string[];
let seq: number;
let close: () => void;

function open(options: Partial<LiveOptions> = {}): void {
  close = openLive({
    after: () => seq,
    refresh: () => Promise.resolve(),
    onRestart: () => (seq = 0),
    onStatus: (status) => statuses.push(status),
    onMessage: () => undefined,
    ...options,
  });
}

async function socket(n: number, waitMs = 0): Promise<FakeSocket> {
  await vi.advanceTimersByTimeAsync(waitMs);
  const found = FakeSocket.all[n - 1];
  if (!found) throw new Error(`only ${FakeSocket.all.length} sockets were opened, wanted ${n}`);
  return found;
}

const HELLO = { type: "hello", version: 1, seq: 7 };

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  FakeSocket.all = [];
  statuses = [];
  asked = [];
  seq = 7;
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("location", { href: "http://127.0.0.1:8400/viewer" });
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    return Promise.resolve(new Response(`data: ${JSON.stringify(HELLO)}\n\n`));
  });
});

afterEach(() => {
  close();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("it names the last event and the call, and is live with the hello", async () => {
  open({ session: "a b" });
  const first = await socket(1);
  expect(first.url.href).toBe("ws://127.0.0.1:8400/v1/alerts?after=7&session=a+b");
  first.say(HELLO);
  expect(statuses).toEqual(["connecting", "live"]);
});

test("after a loss it says so, comes back and goes on from the newest event", async () => {
  open();
  const first = await socket(1);
  first.say(HELLO);
  seq = 12;
  first.fail();
  const second = await socket(2, 500);
  second.say({ ...HELLO, seq: 12 });
  expect(second.url.search).toBe("?after=12");
  expect(statuses).toEqual(["connecting", "live", "reconnecting", "live"]);
});

test("a silent line is replaced without a word to the reader", async () => {
  open();
  const first = await socket(1);
  first.say(HELLO);
  const second = await socket(2, 25_000);
  second.say(HELLO);
  expect(first.closed).toBe(true);
  expect(statuses).toEqual(["connecting", "live", "live"]);
});

test("a line that speaks is kept", async () => {
  open();
  const first = await socket(1);
  first.say(HELLO);
  for (let i = 0; i < 6; i++) {
    await vi.advanceTimersByTimeAsync(10_000);
    first.say(HELLO);
  }
  expect(FakeSocket.all).toHaveLength(1);
});

test("a line without a hello is given up", async () => {
  open();
  const first = await socket(1);
  await socket(2, 8_000 + 500);
  expect(first.closed).toBe(true);
  expect(statuses).toEqual(["connecting", "reconnecting"]);
});

test("when the WebSocket failed twice it reads server-sent events, then tries the WebSocket once more", async () => {
  open();
  (await socket(1)).fail();
  (await socket(2, 500)).fail();
  await vi.advanceTimersByTimeAsync(1000);
  expect(FakeSocket.all).toHaveLength(2);
  expect(asked).toEqual(["/v1/alerts/stream?after=7"]);
  expect(statuses).toContain("live");
  await socket(3, 500);
});

test("when the service begins anew, so does the page", async () => {
  open();
  (await socket(1)).say({ ...HELLO, seq: 2 });
  expect((await socket(2)).url.search).toBe("?after=0");
  expect(statuses).not.toContain("reconnecting");
});

test("closed, it stays closed", async () => {
  open();
  const first = await socket(1);
  first.say(HELLO);
  close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(first.closed).toBe(true);
  expect(FakeSocket.all).toHaveLength(1);
  expect(statuses.at(-1)).toBe("closed");
});
