/** The agent's links, and which call to move to when a customer joins by one. */
import { board } from "./board.svelte";
import { getInvites, invite, revokeInvite, type Wish } from "./console-api";
import { nextCall } from "./console-view";
import type { InviteMessage } from "./wire";

export interface MadeLink {
  id: string;
  name: string;
  url: string;
}

class Invites {
  list = $state.raw<readonly InviteMessage[]>([]);
  /** The link that was just made: its secret is told this once. */
  made = $state.raw<MadeLink | null>(null);
  #awaited = new Set<string>();

  /** Make a link and wait for who joins by it. */
  async make(wish: Wish): Promise<MadeLink> {
    const { invite: row, path } = await invite(wish);
    this.#awaited.add(row.id);
    this.list = [row, ...this.list.filter(({ id }) => id !== row.id)];
    this.made = { id: row.id, name: row.name, url: new URL(path, location.href).href };
    return this.made;
  }

  async revoke(id: string): Promise<void> {
    await revokeInvite(id);
    this.#awaited.delete(id);
    if (this.made?.id === id) this.made = null;
    this.list = await getInvites();
  }

  /** Fetch the links anew; return the call to move to, null to stay. */
  async look(shown: string | null): Promise<string | null> {
    const before = this.list;
    this.list = await getInvites();
    const next = nextCall(board.store, shown, this.#awaited, before, this.list);
    if (next === null) return null;
    const link = this.list.find(({ session }) => session === next);
    if (link) this.#awaited.delete(link.id);
    if (link && this.made?.id === link.id) this.made = null;
    return next;
  }
}

export const invites = new Invites();
