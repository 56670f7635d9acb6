import type { AlertLabel } from "../../lib/wire";

/** What somebody is about to do to a case, and has to say something for. */
export type Form = AlertLabel | "note" | "assign" | "delete";
