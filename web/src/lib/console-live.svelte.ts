/** The live picture and sound of one call (WHEP), and the agent's voice back to it. */
import { ApiError, getAbout } from "./api";
import { auth } from "./auth.svelte";
import { leaveCall, watchCall } from "./console-api";
import { isGone, newPeer, offerOf, watchPeer } from "./peer";

export type LivePhase = "idle" | "connecting" | "live" | "absent" | "lost" | "failed";

/** Pauses before the tries to get a lost picture back [ms]. */
const WAITS_MS = [500, 2000, 5000];
const SOUND: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class LiveView {
  phase = $state<LivePhase>("idle");
  stream = $state.raw<MediaStream | null>(null);
  hasPicture = $state(false);
  /** Whether the customer hears the agent. */
  isTalking = $state(false);
  /** Whether the microphone was asked for in vain. */
  isDumb = $state(false);
  /** Why there is no picture, in the service's words. */
  detail = $state("");
  #microphone: MediaStream | null = null;
  #close: (() => void) | null = null;
  #turn = 0;
  #tries = 0;

  constructor(readonly session: string) {}

  /** Fetch the picture. */
  async start(): Promise<void> {
    this.#tries = 0;
    await this.#connect();
  }

  stop(): void {
    this.#hang();
    this.#silence();
    this.phase = "idle";
  }

  /** Ask for the microphone and send it, or stop: both ways the connection is made anew. */
  async talk(wanted: boolean): Promise<void> {
    this.isDumb = false;
    if (!wanted) this.#silence();
    else {
      const turn = this.#turn;
      const devices = navigator.mediaDevices as MediaDevices | undefined;
      const microphone = (await devices?.getUserMedia({ audio: SOUND }).catch(() => null)) ?? null;
      if (!microphone || turn !== this.#turn) {
        for (const track of microphone?.getTracks() ?? []) track.stop();
        this.isDumb = !microphone;
        return;
      }
      this.#microphone = microphone;
      microphone.getTracks().forEach((track) => track.addEventListener("ended", () => void this.talk(false)));
    }
    await this.start();
  }

  async #connect(): Promise<void> {
    this.#hang();
    const turn = ++this.#turn;
    const isPast = (): boolean => turn !== this.#turn;
    this.phase = "connecting";
    try {
      const { ice_servers } = await getAbout();
      if (isPast()) return;
      const peer = newPeer(ice_servers);
      this.#close = () => peer.close();
      this.#prepare(peer, isPast);
      const offer = await offerOf(peer);
      if (isPast()) return;
      const { answer, resource } = await watchCall(this.session, offer);
      const leave = (): void =>
        isGone(peer) ? peer.close() : void leaveCall(resource, auth.token).then(() => peer.close());
      if (isPast()) return leave();
      this.#close = leave;
      await peer.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (error) {
      if (!isPast()) this.#fail(error);
    }
  }

  #prepare(peer: RTCPeerConnection, isPast: () => boolean): void {
    const [voice] = this.#microphone?.getAudioTracks() ?? [];
    if (voice) peer.addTransceiver(voice, { direction: "sendrecv" });
    else peer.addTransceiver("audio", { direction: "recvonly" });
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.addEventListener("track", ({ track }) => isPast() || this.#see(track));
    watchPeer(
      peer,
      () => isPast() || this.#settle(),
      () => isPast() || void this.#again(),
    );
  }

  #settle(): void {
    this.phase = "live";
    this.isTalking = this.#microphone !== null;
    this.#tries = 0;
  }

  async #again(): Promise<void> {
    this.#hang();
    const turn = this.#turn;
    const waitMs = WAITS_MS[this.#tries++];
    this.phase = waitMs === undefined ? "lost" : "connecting";
    if (waitMs === undefined) return this.#silence();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (turn === this.#turn) await this.#connect();
  }

  #fail(error: unknown): void {
    this.#hang();
    this.#silence();
    const isAbsent = error instanceof ApiError && error.status === 404;
    this.phase = isAbsent ? "absent" : "failed";
    this.detail = error instanceof Error ? error.message : String(error);
  }

  #see(track: MediaStreamTrack): void {
    this.stream = new MediaStream([...(this.stream?.getTracks() ?? []), track]);
    if (track.kind !== "video") return;
    const look = (): void => {
      if (this.stream?.getTracks().includes(track)) this.hasPicture = !track.muted && track.readyState === "live";
    };
    for (const event of ["mute", "unmute", "ended"]) track.addEventListener(event, look);
    look();
  }

  /** Leave the connection that stands; what still comes of it is of the past. */
  #hang(): void {
    this.#turn++;
    this.#close?.();
    this.#close = this.stream = null;
    this.hasPicture = this.isTalking = false;
  }

  #silence(): void {
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#microphone = null;
    this.isTalking = false;
  }
}
