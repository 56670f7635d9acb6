/**
 * The live connection: WebSocket, or server-sent events where the WebSocket failed twice; comes back by itself.
 *
 * Each try first calls `refresh` (which also asks for a token where one is missing) and then names the last event that
 * the caller holds, so nothing is missed in between.
 */
import { request } from "./api";
import { auth, subprotocols } from "./auth.svelte";
import { backoffMs, EventStreamParser } from "./stream";
import type { ServerMessage } from "./wire";

export type Status = "connecting" | "live" | "reconnecting" | "closed";

export interface LiveOptions {
  /** Only this call. */
  session?: string;
  /** Newest stored event that the caller holds. */
  after: () => number;
  refresh: () => Promise<void>;
  /** The server's events begin anew (another database): what the caller holds is of the past. */
  onRestart: () => void;
  onMessage: (message: ServerMessage) => void;
  onStatus: (status: Status) => void;
}

/** The server says something at least every 10 s; after this long in silence the line is dead [ms]. */
const SILENCE_MS = 25_000;
const HELLO_MS = 8_000;
const WEBSOCKET_TRIES = 2;

/** How a connection ended: by the silence of a line that was fine, or by a failure. */
type Ending = "silent" | "failed";

/** Open the live connection; the returned function closes it for good. */
export function openLive(options: LiveOptions): () => void {
  const stop = new AbortController();
  void keepOpen(options, stop.signal);
  return () => {
    stop.abort();
    options.onStatus("closed");
  };
}

async function keepOpen(options: LiveOptions, stop: AbortSignal): Promise<void> {
  let failures = 0;
  let websocketFailures = 0;
  options.onStatus("connecting");
  while (!stop.aborted) {
    const byWebSocket = websocketFailures < WEBSOCKET_TRIES;
    const line = new Line(options, stop);
    try {
      await options.refresh();
      if (!stop.aborted) await (byWebSocket ? line.overWebSocket() : line.overEvents());
    } catch {
      // Whatever ended the try, the next one comes after a pause; the status tells the reader.
    }
    if (stop.aborted) return;
    if (line.greeted) failures = 0;
    if (line.ending === "silent") continue;
    failures++;
    // After an event stream ends, the WebSocket gets one more chance.
    websocketFailures = line.greeted
      ? byWebSocket
        ? 0
        : WEBSOCKET_TRIES - 1
      : websocketFailures + (byWebSocket ? 1 : 0);
    options.onStatus("reconnecting");
    await pause(backoffMs(failures, Math.random()), stop);
  }
}

/** One connection, from opening to end. */
class Line {
  greeted = false;
  ending: Ending = "failed";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #close = (): void => {};

  constructor(
    readonly options: LiveOptions,
    readonly stop: AbortSignal,
  ) {}

  /** Resolves when the WebSocket has closed. */
  async overWebSocket(): Promise<void> {
    const url = new URL(`/v1/alerts?${this.#query()}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, subprotocols(auth.token));
    await new Promise<void>((resolve) => {
      // A dead line may take minutes to report its end: whoever closes it does not wait for that.
      this.#begin(() => {
        socket.onmessage = null;
        socket.close();
        resolve();
      });
      socket.onclose = () => resolve();
      socket.onmessage = (event: MessageEvent<string>) => this.#take(event.data);
    });
    this.#end();
  }

  /** Resolves when the event stream has ended. */
  async overEvents(): Promise<void> {
    const abort = new AbortController();
    this.#begin(() => abort.abort());
    try {
      const response = await request(`/v1/alerts/stream?${this.#query()}`, {
        headers: { Accept: "text/event-stream" },
        cache: "no-store",
        signal: abort.signal,
      });
      const parser = new EventStreamParser();
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        this.#heard();
        parser.push(part.value).forEach((data) => this.#take(data));
      }
    } finally {
      this.#end();
    }
  }

  #query(): string {
    const query = new URLSearchParams({ after: String(this.options.after()) });
    if (this.options.session) query.set("session", this.options.session);
    return query.toString();
  }

  #begin(close: () => void): void {
    this.#close = close;
    this.stop.addEventListener("abort", close);
    this.#timer = setTimeout(close, HELLO_MS);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.stop.removeEventListener("abort", this.#close);
  }

  #heard(): void {
    if (!this.greeted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.ending = "silent";
      this.#close();
    }, SILENCE_MS);
  }

  #restart(): void {
    this.options.onRestart();
    this.ending = "silent";
    this.#close();
  }

  #take(data: string): void {
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === "hello") {
      this.greeted = true;
      if (message.seq < this.options.after()) return this.#restart();
      this.options.onStatus("live");
    }
    this.#heard();
    this.options.onMessage(message);
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
