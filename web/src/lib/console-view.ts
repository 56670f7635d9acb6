/** What the agent's console reads out of its calls and links. Pure. */
import type { Call, Store } from "./store";
import type { CaseActionMessage, InviteMessage, LabelMessage } from "./wire";

export function consoleHref(session: string): string {
  return `/console?call=${encodeURIComponent(session)}`;
}

/** An amount as people write it: "2 500 000", "99,5". */
export const AMOUNT = /[0-9][0-9\s]{0,18}([.,][0-9]{1,2})?/;

/** Return an amount as a number; null where none was written. */
export function amountOf(text: string): number | null {
  const plain = text.replaceAll(/\s/g, "").replace(",", ".");
  return plain === "" ? null : Number(plain);
}

export type InviteState = "open" | "joined" | "expired" | "revoked";

export function inviteState(invite: InviteMessage, now: Date): InviteState {
  if (invite.revoked_at) return "revoked";
  if (invite.session) return "joined";
  return Date.parse(invite.expires_at) <= now.getTime() ? "expired" : "open";
}

/** Return the id of the newest alert of a call, whether it stands or was taken back; null if none was raised. */
export function newestAlert(call: Call): string | null {
  const raised = call.events.findLast((event) => event.type === "alert" && event.kind === "raised");
  return (call.alert ?? call.cleared)?.id ?? (raised?.type === "alert" ? raised.id : null);
}

/** Return when and by whom an alert was last handed over; null if it was not. */
export function handedOver(call: Call, alert: string): CaseActionMessage | null {
  const found = call.events.findLast(
    (event) => event.type === "case_action" && event.alert === alert && event.deed === "handed_over",
  );
  return found?.type === "case_action" ? found : null;
}

/** Return the newest that others said of an alert: what it was found to be, or what was done. */
export function fromDesk(call: Call, alert: string): LabelMessage | CaseActionMessage | null {
  const said = call.events.filter(
    (event): event is LabelMessage | CaseActionMessage =>
      (event.type === "label" || event.type === "case_action") && event.alert === alert,
  );
  const decided = said.findLast((event) => event.type === "label");
  const reopened = said.findLast((event) => event.type === "case_action" && event.deed === "reopened");
  // A decision outweighs later notes, until the case is opened again.
  if (decided && (reopened?.seq ?? 0) < decided.seq) return decided;
  return said.findLast((event) => event.type === "case_action" && event.deed !== "handed_over" && event.deed !== "note") ?? null;
}

/**
 * Return the call that the console should move to, by the links' newest sessions; null to stay.
 *
 * @param shown The call that is shown; null for the list.
 * @param awaited Links that were made here and that nobody has joined by yet.
 * @param before The links as they were: who rejoins comes as a new call, which takes the place of the ended one.
 */
export function nextCall(
  store: Store,
  shown: string | null,
  awaited: ReadonlySet<string>,
  before: readonly InviteMessage[],
  invites: readonly InviteMessage[],
): string | null {
  const isRunning = (session: string | null): session is string =>
    session !== null && store.calls[session] !== undefined && !store.calls[session]?.endedAt;
  if (shown === null) return invites.find(({ id, session }) => awaited.has(id) && isRunning(session))?.session ?? null;
  if (isRunning(shown)) return null;
  const link = before.find(({ session }) => session === shown)?.id;
  const now = invites.find(({ id }) => id === link)?.session ?? null;
  return now !== shown && isRunning(now) ? now : null;
}
