/**
 * What the agent's console and the page around it tell each other; `stream/api/EMBED.md` says it to integrators.
 *
 * Only the window that frames us is heard, from its first `hello` on, and only its origin is answered. Which origins may
 * frame us is for the operator to say (`KUA_EMBED_ORIGINS`, which the service turns into `frame-ancestors`). What is
 * malformed is ignored: an integrator's page may post other messages too.
 */
import type { AlertMessage, State } from "./wire";

export const VERSION = 1;

/** Parent -> console. */
export type ParentMessage =
  | { kua: 1; type: "hello" }
  | { kua: 1; type: "token"; token: string }
  | { kua: 1; type: "open"; session: string }
  | { kua: 1; type: "invite"; name: string; amount: number | null; currency: string; reference: string };

/** Console -> parent. */
export type ConsoleMessage =
  | { type: "ready"; version: 1 }
  | { type: "state"; session: string; state: State; evidence_nat: number; threshold_nat: number }
  | { type: "alert"; session: string; alert: string; kind: AlertMessage["kind"] }
  | { type: "invited"; id: string; url: string }
  | { type: "handed_over"; alert: string }
  | { type: "error"; message: string };

const MAX_TOKEN = 4096;
const MAX_SESSION = 64;
export const MAX_NAME = 80;
export const MAX_REFERENCE = 200;
const MAX_AMOUNT = 1e15;
export const CURRENCY = /^([A-Z]{3})?$/;

/** Return what the parent said; null if it is malformed or not for us. */
export function parseParent(data: unknown): ParentMessage | null {
  if (typeof data !== "object" || data === null) return null;
  const given = data as Record<string, unknown>;
  if (given["kua"] !== VERSION) return null;
  switch (given["type"]) {
    case "hello":
      return { kua: 1, type: "hello" };
    case "token":
      return withToken(given["token"]);
    case "open":
      return isText(given["session"], 1, MAX_SESSION) ? { kua: 1, type: "open", session: given["session"] } : null;
    case "invite":
      return withInvite(given);
    default:
      return null;
  }
}

/** Return a message as it is posted. */
export function serialise(message: ConsoleMessage): ConsoleMessage & { kua: 1 } {
  return { kua: VERSION, ...message };
}

function withToken(token: unknown): ParentMessage | null {
  // It becomes a header: one word.
  return isText(token, 1, MAX_TOKEN) && /^[\x21-\x7e]+$/.test(token) ? { kua: 1, type: "token", token } : null;
}

function withInvite(given: Record<string, unknown>): ParentMessage | null {
  const { name, amount = null, currency = "", reference = "" } = given;
  if (!isText(name, 1, MAX_NAME) || !name.trim()) return null;
  if (amount !== null && !(typeof amount === "number" && amount >= 0 && amount <= MAX_AMOUNT)) return null;
  if (typeof currency !== "string" || !CURRENCY.test(currency)) return null;
  if (!isText(reference, 0, MAX_REFERENCE)) return null;
  return { kua: 1, type: "invite", name: name.trim(), amount: amount as number | null, currency, reference };
}

function isText(value: unknown, least: number, most: number): value is string {
  return typeof value === "string" && value.length >= least && value.length <= most;
}

/** What we need of a window. */
export interface Frame {
  parent: { postMessage: (message: unknown, targetOrigin: string) => void };
  addEventListener: (type: "message", listener: (event: MessageEvent) => void) => void;
  removeEventListener: (type: "message", listener: (event: MessageEvent) => void) => void;
}

export interface Embed {
  /** Tell the parent; what is said before its `hello` is dropped. */
  say: (message: ConsoleMessage) => void;
  close: () => void;
}

/** Begin to listen to the page around us; null if there is none. */
export function openEmbed(frame: Frame, onMessage: (message: ParentMessage) => void): Embed | null {
  const { parent } = frame;
  if ((parent as unknown) === frame) return null;
  let origin: string | null = null;
  const say = (message: ConsoleMessage): void => {
    if (origin !== null) parent.postMessage(serialise(message), origin);
  };
  const listen = (event: MessageEvent): void => {
    if (event.source !== (parent as unknown)) return;
    const message = parseParent(event.data);
    if (!message) return;
    // An opaque origin ("null") cannot be answered to nobody else, so it is not answered at all.
    if (origin === null && message.type === "hello" && event.origin !== "null") origin = event.origin;
    if (origin === null || event.origin !== origin) return;
    // A parent that began to listen after us missed the first one.
    if (message.type === "hello") say({ type: "ready", version: VERSION });
    onMessage(message);
  };
  frame.addEventListener("message", listen);
  parent.postMessage(serialise({ type: "ready", version: VERSION }), "*");
  return { say, close: () => frame.removeEventListener("message", listen) };
}
