/** Which page is shown: `/` or `/viewer`, with `?call=ID` for the details of one call. */

export type Page = "check" | "viewer";

class Route {
  page = $state<Page>("check");
  call = $state<string | null>(null);

  read(location: Location): void {
    this.page = location.pathname.replace(/\/$/, "").endsWith("/viewer") ? "viewer" : "check";
    this.call = this.page === "viewer" ? new URLSearchParams(location.search).get("call") : null;
  }

  go(href: string): void {
    history.pushState(null, "", href);
    this.read(location);
  }

  /** For links: go there without loading the page anew, so that a running check goes on. */
  follow = (event: MouseEvent & { currentTarget: HTMLAnchorElement }): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.go(event.currentTarget.href);
  };
}

export const route = new Route();

export function callHref(session: string): string {
  return `/viewer?call=${encodeURIComponent(session)}`;
}
