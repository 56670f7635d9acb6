/** Keys -> what they ask of a case. Pure. */
import type { AlertLabel, CaseMessage } from "./wire";

export type Action =
  | "next"
  | "previous"
  | "open"
  | "close"
  | "claim"
  | "release"
  | "assign"
  | "reopen"
  | "note"
  | "search"
  | "help"
  | AlertLabel;

/** A key as it was pressed, and where. */
export interface Press {
  readonly key: string;
  /** Its place on the keyboard, as in `KeyboardEvent.code`. */
  readonly code: string;
  readonly isTyping: boolean;
  readonly hasModifier: boolean;
  /** Whether it is held down. */
  readonly isRepeat: boolean;
}

const KEYS: Readonly<Record<string, Action>> = {
  j: "next",
  ArrowDown: "next",
  k: "previous",
  ArrowUp: "previous",
  Enter: "open",
  Escape: "close",
  c: "claim",
  r: "release",
  a: "assign",
  f: "spoof",
  x: "false_alert",
  i: "unclear",
  o: "reopen",
  n: "note",
  "/": "search",
  "?": "help",
};
const MOVES: readonly (Action | undefined)[] = ["next", "previous"];

/**
 * Return what a key asks for; null while somebody types, or with a modifier, so that the browser's own keys work.
 *
 * On a Kazakh or Russian keyboard a letter is known by its place: nobody changes the layout for a single key.
 */
export function actionOf({ key, code, isTyping, hasModifier, isRepeat }: Press): Action | null {
  if (hasModifier) return null;
  const action = KEYS[key.length === 1 ? letter(key, code) : key];
  // Held down, a key moves on and on, but decides nothing twice.
  if (!action || (isRepeat && !MOVES.includes(action))) return null;
  return isTyping && action !== "close" ? null : action;
}

function letter(key: string, code: string): string {
  const isForeign = key.toLowerCase() !== key.toUpperCase() && !/^[a-z]$/i.test(key);
  return isForeign && code.startsWith("Key") ? code.slice(3).toLowerCase() : key.toLowerCase();
}

/** Return whether an action can be done to a case as it is, by somebody of a name. */
export function allows(action: Action, of: CaseMessage, name: string): boolean {
  const decided = of.status !== "open" && of.status !== "in_review";
  if (action === "reopen") return decided;
  if (action === "claim") return !decided && (of.assignee !== name || !name);
  if (action === "release") return !decided && of.assignee !== "";
  if (action === "assign") return !decided;
  return true;
}
