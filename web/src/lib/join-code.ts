/**
 * The code of an invite: from the fragment of the address into this tab's storage, and out of sight.
 *
 * It is no token of the service's pages: it never enters `auth`, and goes to `/v1/join` and `/whip` only.
 */

const KEY = "kua-join";
/** What a code may be made of: it goes into a header. */
const CODE = /^[\w.~+/=-]{8,512}$/;

/** Return the code, and take it out of the address; null if neither the address nor this tab has one. */
export function takeCode(
  location: Pick<Location, "hash" | "pathname" | "search">,
  history: Pick<History, "state" | "replaceState">,
  storage: Pick<Storage, "getItem" | "setItem">,
): string | null {
  const given = location.hash.slice(1);
  if (given) history.replaceState(history.state, "", location.pathname + location.search);
  if (CODE.test(given)) storage.setItem(KEY, given);
  // A code that was cut off on its way must not be mended by an older one: it may be of another call.
  return CODE.test(given) ? given : given ? null : storage.getItem(KEY);
}

/** Forget the code: it is no longer valid. */
export function dropCode(storage: Pick<Storage, "removeItem">): void {
  storage.removeItem(KEY);
}

const WAITS_MS = [0, 1000, 2000, 4000, 8000, 15_000];

/** Return the pause before a try to join again, counted from 0 [ms]; null after the last one. */
export function rejoinWaitMs(tries: number): number | null {
  return WAITS_MS[tries] ?? null;
}
