/** Who reads this page, and what that one may do. */
import { peekMe } from "./api";
import type { MeMessage, Right } from "./wire";

class Me {
  is = $state.raw<MeMessage | null>(null);

  /** Ask, without asking the reader for a token. */
  async load(): Promise<void> {
    this.is = await peekMe();
  }

  can(right: Right): boolean {
    return this.is?.rights.includes(right) ?? false;
  }
}

export const me = new Me();
