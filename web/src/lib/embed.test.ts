import { expect, test } from "vitest";
import { openEmbed, parseParent, serialise, type Frame, type ParentMessage } from "./embed";

const DESK = "https://desk.bank.example";

/** A frame in a parent that keeps what it is told. */
class FakeFrame implements Frame {
  said: [unknown, string][] = [];
  heard: ParentMessage[] = [];
  parent = { postMessage: (message: unknown, origin: string): void => void this.said.push([message, origin]) };
  #listeners: ((event: MessageEvent) => void)[] = [];

  addEventListener(_type: "message", listener: (event: MessageEvent) => void): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: "message", listener: (event: MessageEvent) => void): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  get nListeners(): number {
    return this.#listeners.length;
  }

  post(data: unknown, origin = DESK, source: unknown = this.parent): void {
    for (const listener of this.#listeners) listener({ data, origin, source } as MessageEvent);
  }
}

function opened(): { frame: FakeFrame; embed: NonNullable<ReturnType<typeof openEmbed>> } {
  const frame = new FakeFrame();
  const embed = openEmbed(frame, (message) => frame.heard.push(message));
  if (!embed) throw new Error("a framed page has a parent");
  return { frame, embed };
}

const READY = { kua: 1, type: "ready", version: 1 };

test("well-formed messages of the parent are read", () => {
  expect(parseParent({ kua: 1, type: "hello", more: "ignored" })).toEqual({ kua: 1, type: "hello" });
  expect(parseParent({ kua: 1, type: "token", token: "kua_a_b" })).toEqual({ kua: 1, type: "token", token: "kua_a_b" });
  expect(parseParent({ kua: 1, type: "open", session: "s1" })).toEqual({ kua: 1, type: "open", session: "s1" });
  const plain = { kua: 1, type: "invite", name: "Aigerim", amount: null, currency: "", reference: "" };
  expect(parseParent({ kua: 1, type: "invite", name: " Aigerim " })).toEqual(plain);
  const full = { kua: 1, type: "invite", name: "Aigerim", amount: 2500000, currency: "KZT", reference: "R-7" };
  expect(parseParent(full)).toEqual(full);
});

test.each([
  null,
  undefined,
  "hello",
  42,
  [],
  {},
  { type: "hello" },
  { kua: 2, type: "hello" },
  { kua: "1", type: "hello" },
  { kua: 1, type: "unknown" },
  { kua: 1, type: "token" },
  { kua: 1, type: "token", token: "" },
  { kua: 1, type: "token", token: "a b" },
  { kua: 1, type: "token", token: "a\r\nX: y" },
  { kua: 1, type: "token", token: "x".repeat(4097) },
  { kua: 1, type: "open", session: "" },
  { kua: 1, type: "open", session: 7 },
  { kua: 1, type: "open", session: "x".repeat(65) },
  { kua: 1, type: "invite" },
  { kua: 1, type: "invite", name: "   " },
  { kua: 1, type: "invite", name: "x".repeat(81) },
  { kua: 1, type: "invite", name: "A", amount: -1 },
  { kua: 1, type: "invite", name: "A", amount: NaN },
  { kua: 1, type: "invite", name: "A", amount: Infinity },
  { kua: 1, type: "invite", name: "A", amount: "5" },
  { kua: 1, type: "invite", name: "A", currency: "tenge" },
  { kua: 1, type: "invite", name: "A", reference: "x".repeat(201) },
])("what is malformed is not read: %j", (data) => {
  expect(parseParent(data)).toBeNull();
});

test("a message is posted with its version", () => {
  expect(serialise({ type: "handed_over", alert: "a1" })).toEqual({ kua: 1, type: "handed_over", alert: "a1" });
});

test("a page that nobody frames does not listen", () => {
  const alone = { addEventListener: () => expect.unreachable(), removeEventListener: () => undefined } as unknown as Frame;
  (alone as { parent: unknown }).parent = alone;
  expect(openEmbed(alone, () => undefined)).toBeNull();
});

test("everybody is told that we are ready, and nothing else", () => {
  const { frame, embed } = opened();
  embed.say({ type: "alert", session: "s1", alert: "a1", kind: "raised" });
  expect(frame.said).toEqual([[READY, "*"]]);
});

test("after hello its origin alone is told", () => {
  const { frame, embed } = opened();
  frame.post({ kua: 1, type: "hello" });
  embed.say({ type: "handed_over", alert: "a1" });
  expect(frame.said.slice(1)).toEqual([
    [READY, DESK],
    [{ kua: 1, type: "handed_over", alert: "a1" }, DESK],
  ]);
});

test("only the window that frames us is heard", () => {
  const { frame } = opened();
  frame.post({ kua: 1, type: "hello" }, DESK, {});
  frame.post({ kua: 1, type: "hello" }, DESK, null);
  expect(frame.heard).toEqual([]);
  expect(frame.said).toHaveLength(1);
});

test("nothing counts before hello", () => {
  const { frame } = opened();
  frame.post({ kua: 1, type: "token", token: "t" });
  expect(frame.heard).toEqual([]);
  frame.post({ kua: 1, type: "hello" });
  frame.post({ kua: 1, type: "token", token: "t" });
  expect(frame.heard.map(({ type }) => type)).toEqual(["hello", "token"]);
});

test("another origin than the one that said hello is not heard", () => {
  const { frame } = opened();
  frame.post({ kua: 1, type: "hello" });
  frame.post({ kua: 1, type: "token", token: "t" }, "https://other.example");
  frame.post({ kua: 1, type: "hello" }, "https://other.example");
  expect(frame.heard.map(({ type }) => type)).toEqual(["hello"]);
  expect(frame.said.map(([, origin]) => origin)).toEqual(["*", DESK]);
});

test("an opaque origin is not answered", () => {
  const { frame } = opened();
  frame.post({ kua: 1, type: "hello" }, "null");
  expect(frame.heard).toEqual([]);
  expect(frame.said).toHaveLength(1);
});

test("a closed console listens no longer", () => {
  const { frame, embed } = opened();
  embed.close();
  expect(frame.nListeners).toBe(0);
});
