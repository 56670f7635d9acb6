/** Every text of the administration. */
import type { WEBHOOK_TYPES } from "../../admin-api";
import type { RoleName } from "../roles";

export const ADMIN = {
  tab: "Administration – Kua",
  title: "Administration",
  lead: "Who may do what, who is told, and who did what.",
  forbidden: "Only an administrator sees this page. Ask one for a token with that role.",
  failed: (detail: string): string => `That did not work: ${detail}`,
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Could not be copied: select the text and copy it by hand.",
  once: "It is shown this once and never again. Keep it in a safe place.",
  noted: "I have kept it",
};

export const ROLE: Record<RoleName, { name: string; may: string }> = {
  viewer: { name: "Viewer", may: "Sees all calls and alerts, and changes nothing." },
  agent: { name: "Agent", may: "Invites customers, sees only own calls, writes notes and hands cases over." },
  analyst: { name: "Analyst", may: "Works on all cases at the fraud desk, and may see their evidence where the operator allows it." },
  admin: { name: "Administrator", may: "All that an analyst does, and tokens, webhooks and this log; evidence only where the operator allows it." },
};

export const TOKENS = {
  title: "Tokens",
  text: "A token is what a person or a program signs in with.",
  first:
    "There is no administrator yet. The first token must be an administrator's; from then on this page, like all others, asks for a token.",
  name: "Person or program",
  role: "Role",
  days: "Days until it expires",
  daysHint: "Empty: never",
  create: "Make a token",
  secret: (name: string): string => `Token of ${name}`,
  use: "Use it in this tab",
  created: (by: string, time: string): string => (by ? `made by ${by}, ${time}` : `made ${time}`),
  expires: (time: string): string => `expires ${time}`,
  used: (time: string): string => `last used ${time}`,
  unused: "never used",
  revoked: (time: string): string => `revoked ${time}`,
  expired: "expired",
  own: "yours",
  revoke: "Revoke",
  sure: (name: string): string => `Revoke the token of ${name}? Whoever uses it is locked out within ten seconds.`,
  sureOwn: "This is your own token: you are locked out at once.",
  yes: "Yes, revoke",
  no: "Keep it",
  none: "No token yet.",
  showOld: "Show revoked and expired ones",
};

export const WEBHOOKS = {
  title: "Webhooks",
  text: "The service posts to these addresses when something happens. Each message is signed with the webhook's secret.",
  url: "Address",
  urlHint: "https://…",
  types: "What to tell",
  type: {
    "alert.raised": "Alert raised",
    "alert.updated": "Alert updated",
    "alert.cleared": "Alert taken back",
    "alert.labelled": "Alert decided",
    "case.changed": "Case changed",
  } satisfies Record<(typeof WEBHOOK_TYPES)[number], string>,
  all: "Everything",
  create: "Add the webhook",
  secret: (url: string): string => `Secret of ${url}`,
  none: "Nobody is told yet.",
  off: "switched off",
  test: "Send a test",
  delivered: (status: number | null): string => (status === null ? "The test arrived." : `The test arrived (status ${status}).`),
  notDelivered: (detail: string): string => `The test did not arrive: ${detail}`,
  status: (status: number | null): string => (status === null ? "no answer" : `status ${status}`),
  remove: "Remove",
  sure: (url: string): string => `Remove ${url}? What waits for it is dropped.`,
  yes: "Yes, remove",
  no: "Keep it",
};

export const DEAD = {
  title: "Not delivered",
  text: "Messages that were tried as often as the service tries. Mend the receiver, then send them again.",
  none: "Everything was delivered.",
  line: (type: string, tries: number, time: string): string => `${type}, ${tries} ${tries === 1 ? "try" : "tries"}, of ${time}`,
  to: (url: string): string => `to ${url}`,
  retry: "Send again",
  sent: "It is on its way again.",
};

export const AUDIT = {
  title: "Audit log",
  text: "Who looked at evidence and who changed who may, newest first.",
  at: "Time",
  by: "Who",
  role: "Role",
  address: "From",
  action: "What",
  target: "On what",
  lines: "Lines of the audit log",
  more: "Show older ones",
  refresh: "Show the newest",
  none: "Nothing yet.",
};
