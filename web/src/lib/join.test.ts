import { expect, test } from "vitest";
import { dropCode, rejoinWaitMs, takeCode } from "./join-code";
import { mediaError, obstacle } from "./join-media";
import { refusal } from "./join-peer";
import { JOIN, type JoinTexts } from "./join-strings";
import { LANGUAGES } from "./language";

const CODE = "kin_0123456789ab_secretsecret";

/** The address, its history and the storage of one tab. */
function tab(hash: string, stored: Record<string, string> = {}) {
  const written: string[] = [];
  return {
    location: { hash, pathname: "/join", search: "" },
    history: { state: null, replaceState: (_state: unknown, _title: string, url?: string | URL | null) => void written.push(String(url)) },
    storage: {
      getItem: (key: string) => stored[key] ?? null,
      setItem: (key: string, value: string) => void (stored[key] = value),
      removeItem: (key: string) => void delete stored[key],
    },
    stored,
    written,
  };
}

test("the code goes from the address into storage of its own", () => {
  const { location, history, storage, stored, written } = tab(`#${CODE}`);
  expect(takeCode(location, history, storage)).toBe(CODE);
  expect(written).toEqual(["/join"]);
  expect(stored).toEqual({ "kua-join": CODE });
});

test("a page that is loaded anew finds its code in storage", () => {
  const { location, history, storage, written } = tab("", { "kua-join": CODE });
  expect(takeCode(location, history, storage)).toBe(CODE);
  expect(written).toEqual([]);
});

test("without a code there is none", () => {
  const { location, history, storage } = tab("");
  expect(takeCode(location, history, storage)).toBeNull();
});

test("a broken link is not mended by an older one", () => {
  const { location, history, storage, stored } = tab("#kin_%20", { "kua-join": CODE });
  expect(takeCode(location, history, storage)).toBeNull();
  expect(stored).toEqual({ "kua-join": CODE });
});

test("a code that is no longer valid is forgotten", () => {
  const { storage, stored } = tab("", { "kua-join": CODE });
  dropCode(storage);
  expect(stored).toEqual({});
});

test("tries to join again are bounded, with longer and longer pauses", () => {
  const waits = [0, 1, 2, 3, 4, 5, 6].map(rejoinWaitMs);
  expect(waits).toEqual([0, 1000, 2000, 4000, 8000, 15_000, null]);
});

test("every language has every text, and no text is another language's", () => {
  const all = LANGUAGES.map(({ id }) => flat(JOIN[id]));
  const [first] = all;
  for (const texts of all) {
    expect(Object.keys(texts)).toEqual(Object.keys(first ?? {}));
    expect(Object.values(texts).filter((text) => !text.trim())).toEqual([]);
  }
  for (const key of Object.keys(first ?? {})) {
    expect(new Set(all.map((texts) => texts[key])).size, key).toBe(LANGUAGES.length);
  }
});

test("what a refusal means to a customer", () => {
  expect(refusal(401)).toMatchObject({ key: "invalid", retry: false });
  expect(refusal(403)).toMatchObject({ key: "invalid", retry: false });
  expect(refusal(503)).toMatchObject({ key: "full", retry: true });
  expect(refusal(429)).toMatchObject({ key: "full", retry: true });
  expect(refusal(502)).toMatchObject({ key: "unreachable", retry: true });
  expect(refusal(400)).toMatchObject({ key: "unknown", retry: false });
});

test("a page that cannot use a camera says why", () => {
  const devices = { getUserMedia: () => undefined } as unknown as MediaDevices;
  expect(obstacle(devices, true, true)).toBeNull();
  expect(obstacle(undefined, false, true)).toBe("insecure");
  expect(obstacle(undefined, true, true)).toBe("unsupported");
  expect(obstacle(devices, true, false)).toBe("unsupported");
});

test("errors of the devices have texts of their own", async () => {
  expect(await mediaError(new DOMException("", "NotAllowedError"))).toBe("denied");
  expect(await mediaError(new DOMException("", "NotReadableError"))).toBe("inUse");
  expect(await mediaError("odd")).toBe("unknown");
});

function flat(texts: JoinTexts): Record<string, string> {
  const { error, ...rest } = texts;
  return { ...rest, ...error };
}
