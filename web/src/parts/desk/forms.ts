import type { Action } from "../../lib/desk-keys";
import type { AlertLabel } from "../../lib/wire";

/** What somebody is about to do to a case, and has to say something for. */
export type Form = AlertLabel | "note" | "assign" | "delete";

/** What was done to a case, and is told. */
export type Deeds = Exclude<Action, "next" | "previous" | "open" | "close" | "search" | "help"> | "delete";

/** Wait for what was asked of the service; resolves to whether it was done. */
export type Do = (what: Deeds, asked: Promise<unknown>) => Promise<boolean>;
