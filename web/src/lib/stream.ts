/** How long to wait before the next try, and how a server-sent event stream is cut into messages. Pure. */

const FIRST_MS = 500;
const MOST_MS = 15_000;

/** Return the wait after `failures` failed tries in a row [ms]: doubling, at most 15 s, the upper half by chance. */
export function backoffMs(failures: number, chance: number): number {
  const full = Math.min(MOST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  return full / 2 + (full / 2) * chance;
}

/** Cuts the text of a `text/event-stream` into the data of its events; comments are keep-alives and yield nothing. */
export class EventStreamParser {
  #rest = "";
  #data: string[] = [];

  /** Return the data of the events that `text` completes. */
  push(text: string): string[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): string[] {
    if (line === "") {
      const done = this.#data;
      this.#data = [];
      return done.length ? [done.join("\n")] : [];
    }
    if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5));
    return [];
  }
}
