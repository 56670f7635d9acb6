/** What the agent's console asks of the service. */
import { getJson, request, sendJson } from "./api";
import type { CaseActionMessage, InviteMessage, InviteRequest, NewInviteMessage } from "./wire";

const HOURS = 24;

export async function getInvites(): Promise<InviteMessage[]> {
  return getJson<InviteMessage[]>("/v1/invites");
}

export interface Wish {
  name: string;
  amount: number | null;
  currency: string;
  reference: string;
}

/** Make a link for a customer. */
export async function invite(wish: Wish): Promise<NewInviteMessage> {
  const body: InviteRequest = { ...wish, hours: HOURS };
  return sendJson<NewInviteMessage>("POST", "/v1/invites", body);
}

export async function revokeInvite(id: string): Promise<void> {
  await sendJson<null>("DELETE", `/v1/invites/${encodeURIComponent(id)}`);
}

/** Hand the case of an alert over, or send another word about it. */
export async function tellDesk(alert: string, deed: "handed_over" | "note", note: string): Promise<CaseActionMessage> {
  return sendJson<CaseActionMessage>("POST", `/v1/cases/${encodeURIComponent(alert)}/deeds`, { deed, to: "", note });
}

export interface Watching {
  answer: string;
  resource: URL;
}

/** Ask for the live picture of a call (WHEP); 404: it has none. */
export async function watchCall(session: string, offer: string): Promise<Watching> {
  const response = await request(`/v1/sessions/${encodeURIComponent(session)}/watch`, {
    method: "POST",
    headers: { "Content-Type": "application/sdp" },
    body: offer,
  });
  const resource = new URL(response.headers.get("Location") ?? "", response.url);
  return { answer: await response.text(), resource };
}

/** Leave the live picture; lets itself out while the page goes away. */
export function leaveCall(resource: URL, token: string | null): Promise<unknown> {
  const headers: HeadersInit = token ? { Authorization: `Bearer ${token}` } : {};
  return fetch(resource, { method: "DELETE", headers, keepalive: true }).catch(() => undefined);
}
