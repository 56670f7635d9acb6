/** The access token: from the address (`#token=...`), from this tab's storage, or from the reader. */

const KEY = "kua-token";

class Auth {
  token: string | null = null;
  /** Whether the reader is asked for a token now. */
  asked = $state(false);
  /** How often the reader, or a page around this one, gave a token: who we are may have changed. */
  given = $state(0);
  /** Whether the last token was refused. */
  refused = $state(false);
  #waiting: (() => void)[] = [];

  /** Take the token from the address, and out of it, so that it is neither seen nor copied along. */
  load(location: Location, history: History): void {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const given = fragment.get("token");
    if (given) {
      sessionStorage.setItem(KEY, given);
      history.replaceState(history.state, "", location.pathname + location.search);
    }
    this.token = given ?? sessionStorage.getItem(KEY);
  }

  /** Resolve once the reader gave another token than `refused`. */
  ask(refused: string | null): Promise<void> {
    if (this.token !== refused) return Promise.resolve();
    this.refused = refused !== null;
    this.asked = true;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(token: string): void {
    this.token = token;
    sessionStorage.setItem(KEY, token);
    this.asked = false;
    this.given++;
    for (const go of this.#waiting.splice(0)) go();
  }
}

export const auth = new Auth();

/** Return the WebSocket subprotocols that carry the token, which a browser cannot send as a header. */
export function subprotocols(token: string | null): string[] {
  return token ? ["kua.v1", `bearer.${base64url(token)}`] : ["kua.v1"];
}

function base64url(text: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
