/** Which page is shown, by the last part of its address; `?call=ID` or `?case=ID` name what it shows. */

const PAGES = ["viewer", "desk", "console", "join", "admin", "clip", "people", "answer"] as const;

export type Page = "check" | (typeof PAGES)[number];

class Route {
  page = $state<Page>("check");
  call = $state<string | null>(null);

  /** Id of the alert whose case is shown. */
  case = $state<string | null>(null);

  read(location: Location): void {
    const name = location.pathname.replace(/\/$/, "").split("/").at(-1);
    const query = new URLSearchParams(location.search);
    this.page = PAGES.find((page) => page === name) ?? "check";
    this.call = this.page === "viewer" || this.page === "console" ? query.get("call") : null;
    this.case = this.page === "desk" ? query.get("case") : null;
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

export function caseHref(alert: string): string {
  return `/desk?case=${encodeURIComponent(alert)}`;
}

export function callHref(session: string): string {
  return `/viewer?call=${encodeURIComponent(session)}`;
}
