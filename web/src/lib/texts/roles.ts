import type { TokenMessage } from "../wire";

/** Not `Role` of the wire: the audit log's free text took that name. */
export type RoleName = TokenMessage["role"];
