import { describe, expect, it } from "vitest";
import { actionOf, allows, type Press } from "./desk-keys";
import type { CaseMessage } from "./wire";

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  code: "",
  isTyping: false,
  hasModifier: false,
  isRepeat: false,
  ...more,
});
const of = (status: CaseMessage["status"], assignee = ""): CaseMessage => ({ status, assignee }) as CaseMessage;

describe("keys", () => {
  it("do nothing while somebody types or holds a modifier, but Escape", () => {
    expect(actionOf(press("c"))).toBe("claim");
    expect(actionOf(press("c", { isTyping: true }))).toBeNull();
    expect(actionOf(press("c", { hasModifier: true }))).toBeNull();
    expect(actionOf(press("Escape", { isTyping: true }))).toBe("close");
    expect(actionOf(press("q"))).toBeNull();
  });

  it("are known by their place on a Kazakh or Russian keyboard", () => {
    expect(actionOf(press("с", { code: "KeyC" }))).toBe("claim");
    expect(actionOf(press("о", { code: "KeyJ" }))).toBe("next");
    expect(actionOf(press("ә", { code: "Digit2" }))).toBeNull();
  });

  it("are known by their letter on any Latin one, also with caps lock", () => {
    expect(actionOf(press("a", { code: "KeyQ" }))).toBe("assign");
    expect(actionOf(press("F", { code: "KeyF" }))).toBe("spoof");
    expect(actionOf(press("?", { code: "Slash" }))).toBe("help");
  });

  it("move on while they are held down, and do nothing else twice", () => {
    expect(actionOf(press("j", { isRepeat: true }))).toBe("next");
    expect(actionOf(press("c", { isRepeat: true }))).toBeNull();
  });
});

describe("actions", () => {
  it("fit the case as it is", () => {
    expect([allows("claim", of("open"), "Aru"), allows("reopen", of("open"), "Aru"), allows("spoof", of("open"), "Aru")]).toEqual([true, false, true]);
    const decided = of("false_alarm", "Aru");
    expect([allows("claim", decided, "Aru"), allows("reopen", decided, "Aru"), allows("note", decided, "Aru")]).toEqual([false, true, true]);
  });

  it("release only what somebody has, and claim what another has, to be told who", () => {
    expect([allows("release", of("open"), "Aru"), allows("release", of("in_review", "Dana"), "Aru")]).toEqual([false, true]);
    expect([allows("claim", of("in_review", "Aru"), "Aru"), allows("claim", of("in_review", "Dana"), "Aru")]).toEqual([false, true]);
  });
});
