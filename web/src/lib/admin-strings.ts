/** The texts of the administration, in the reader's language. */
import { language } from "./language";
import { TEXTS } from "./texts";
import type { RoleName } from "./texts/roles";

export type { RoleName };

export const ROLES: readonly RoleName[] = ["viewer", "agent", "analyst", "admin"];

export const { ADMIN, ROLE, TOKENS, WEBHOOKS, DEAD, AUDIT } = TEXTS[language].admin;
