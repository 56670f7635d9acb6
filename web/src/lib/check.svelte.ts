/** The check that runs in this page: capture, sending and what comes back. It outlives a change of page. */
import { about } from "./about.svelte";
import { ApiError, getAbout } from "./api";
import { capture, captureError, captureObstacle, shownBy, type Kind } from "./capture";
import { moment } from "./format";
import { chooseFace } from "./people-api";
import { openLive, type Status } from "./live";
import { EMPTY, receive, type Store } from "./store";
import { CHECK, ERROR, causeText } from "./strings";
import { publish, type Publication } from "./whip";

export type Phase = "idle" | "asking" | "connecting" | "running" | "ended";

class Check {
  phase = $state<Phase>("idle");
  kind = $state<Kind>("tab");
  name = $state("");
  error = $state<string | null>(null);
  /** What is missing from the capture, in words. */
  notice = $state<string | null>(null);
  /** Why the service ended the call, in words. */
  cause = $state<string | null>(null);
  stream = $state.raw<MediaStream | null>(null);
  connection = $state<Status>("closed");
  session = $state<string | null>(null);
  #store = $state.raw<Store>(EMPTY);
  call = $derived(this.session === null ? null : (this.#store.calls[this.session] ?? null));
  #publication: Publication | null = null;
  #closeLive: (() => void) | null = null;

  get busy(): boolean {
    return this.phase === "asking" || this.phase === "connecting" || this.phase === "running";
  }

  /** Capture, send and listen; what goes wrong is left in `error`. */
  async start(kind: Kind): Promise<void> {
    this.#reset(kind);
    const obstacle = captureObstacle(kind, navigator.mediaDevices as MediaDevices | undefined, isSecureContext);
    if (obstacle) return this.#fail(obstacle);
    try {
      this.stream = await capture(kind);
    } catch (error) {
      return this.#fail(captureError(error));
    }
    const shown = kind === "tab" ? shownBy(this.stream) : "fine";
    if (shown === "own_page") return this.#fail(ERROR.ownPage);
    const notices = [missing(this.stream, kind), shown === "whole_screen" ? CHECK.shownBack : null];
    this.notice = notices.filter((one) => one !== null).join(" ") || null;
    for (const track of this.stream.getTracks()) track.addEventListener("ended", () => this.stop());
    await this.#send(this.stream);
  }

  /** End the check; what was said last stays in sight. */
  stop(): void {
    if (!this.busy) return;
    this.#release();
    this.phase = this.call ? "ended" : "idle";
  }

  /** Go back to the beginning. */
  reset(): void {
    this.#reset(this.kind);
    this.phase = "idle";
  }

  async #send(stream: MediaStream): Promise<void> {
    this.phase = "connecting";
    try {
      const { ice_servers, keep_faces_days, keep_audio } = await getAbout();
      about.keepAudio = keep_audio;
      about.keepFacesDays = keep_faces_days;
      const name = this.name.trim() || CHECK.defaultName(moment(new Date()));
      const publication = await publish(stream, name, ice_servers, () => this.#fail(ERROR.lost));
      // The reader may have stopped while the service was answering.
      if (this.stream !== stream) return publication.close();
      this.#publication = publication;
      this.#listen(publication.session);
      // One person is on the other side; on a screen there are more faces: one's own, pictures beside a chat.
      void chooseFace(publication.session, null).catch(() => undefined);
    } catch (error) {
      if (this.stream === stream) this.#fail(sendError(error));
    }
  }

  #listen(session: string): void {
    this.session = session;
    this.phase = "running";
    this.#closeLive = openLive({
      session,
      after: () => this.#store.seq,
      refresh: () => Promise.resolve(),
      onRestart: () => (this.#store = EMPTY),
      onStatus: (status) => (this.connection = status),
      onMessage: (message) => {
        this.#store = receive(this.#store, message);
        if (this.call?.endedAt) this.#endedByService(this.call.cause ?? "");
      },
    });
  }

  #endedByService(cause: string): void {
    if (this.phase !== "running") return;
    this.cause = causeText(cause);
    this.stop();
  }

  #fail(text: string): void {
    this.#release();
    this.error = text;
    this.phase = this.call ? "ended" : "idle";
  }

  #reset(kind: Kind): void {
    this.#release();
    this.kind = kind;
    this.phase = "asking";
    this.error = this.notice = this.cause = this.session = null;
    this.#store = EMPTY;
  }

  #release(): void {
    this.#closeLive?.();
    this.#publication?.close();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.#closeLive = this.#publication = this.stream = null;
  }
}

function missing(stream: MediaStream, kind: Kind): string | null {
  if (!stream.getVideoTracks().length) return CHECK.noPicture;
  if (!stream.getAudioTracks().length) return kind === "tab" ? CHECK.noSound : CHECK.noMicrophone;
  return null;
}

function sendError(error: unknown): string {
  if (!(error instanceof ApiError)) return ERROR.unknown(error instanceof Error ? error.message : String(error));
  if (error.status === 0) return error.message;
  return error.status === 503 ? ERROR.full(error.message) : ERROR.refused(error.message);
}

export const check = new Check();
