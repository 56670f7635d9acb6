/** What administrators ask of the service. */
import { getJson, sendJson } from "./api";
import type {
  AuditMessage,
  DeadLetterMessage,
  NewTokenMessage,
  NewWebhookMessage,
  TokenMessage,
  TokenRequest,
  WebhookMessage,
  WebhookRequest,
  WebhookTestMessage,
} from "./wire";

export const AUDIT_LIMIT = 100;

export const getTokens = (): Promise<TokenMessage[]> => getJson("/v1/tokens");
export const createToken = (wish: TokenRequest): Promise<NewTokenMessage> => sendJson("POST", "/v1/tokens", wish);
export const revokeToken = (id: string): Promise<null> => sendJson("DELETE", `/v1/tokens/${encodeURIComponent(id)}`);

export const getWebhooks = (): Promise<WebhookMessage[]> => getJson("/v1/webhooks");
export const createWebhook = (wish: WebhookRequest): Promise<NewWebhookMessage> => sendJson("POST", "/v1/webhooks", wish);
export const deleteWebhook = (id: string): Promise<null> => sendJson("DELETE", `/v1/webhooks/${encodeURIComponent(id)}`);
export const testWebhook = (id: string): Promise<WebhookTestMessage> =>
  sendJson("POST", `/v1/webhooks/${encodeURIComponent(id)}/test`);

export const getDead = (): Promise<DeadLetterMessage[]> => getJson("/v1/webhooks/dead");
export const retryDead = (id: number): Promise<null> => sendJson("POST", `/v1/webhooks/dead/${id}/retry`);

/** Return the newest lines of the audit log, or those before one. */
export function getAudit(before: number | null): Promise<AuditMessage[]> {
  const query = new URLSearchParams({ limit: String(AUDIT_LIMIT) });
  if (before !== null) query.set("before", String(before));
  return getJson(`/v1/audit?${query}`);
}

/** Whether a token still opens anything. */
export function isValid(token: TokenMessage, now: Date): boolean {
  return !token.revoked_at && (!token.expires_at || Date.parse(token.expires_at) > now.getTime());
}

/** Whether there is an administrator; before there is one, no other token can be made. */
export function hasAdmin(tokens: readonly TokenMessage[], now: Date): boolean {
  return tokens.some((token) => token.role === "admin" && isValid(token, now));
}

export const WEBHOOK_TYPES = ["alert.raised", "alert.updated", "alert.cleared", "alert.labelled", "case.changed"] as const;
