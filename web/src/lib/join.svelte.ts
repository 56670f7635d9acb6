/** The call of a customer: from the link to the end. It knows of nothing but the customer's own call. */
import { dropCode, rejoinWaitMs, takeCode } from "./join-code";
import { countCameras, mediaError, obstacle, nextCamera, openCamera, openMedia, type Facing } from "./join-media";
import { JoinError, askJoin, openLeg, type Leg } from "./join-peer";
import type { JoinErrorKey } from "./join-strings";
import type { LightMessage } from "./wire";

export type JoinPhase = "checking" | "ready" | "asking" | "connecting" | "in_call" | "rejoining" | "ended";

/** A connection that stood so long counts as good: the next loss begins with the first pause again [ms]. */
const STEADY_MS = 10_000;
/** In one call at most so many times: two devices with the same link would else throw each other out for ever. */
const MAX_REJOINS = 20;
/** How often the page asks whether it is to show colours [ms]. */
const LIGHT_MS = 1000;

class Join {
  phase = $state<JoinPhase>("checking");
  error = $state<JoinErrorKey | null>(null);
  /** What the customer sends. */
  own = $state.raw<MediaStream | null>(null);
  /** What the other side sends. */
  remote = $state.raw<MediaStream | null>(null);
  hasRemotePicture = $state(false);
  isMuted = $state(false);
  isCameraOff = $state(false);
  facing = $state<Facing>("user");
  nCameras = $state(0);
  isSwitching = $state(false);
  /** Colours that this page is to show now, as the agent asked. */
  light = $state.raw<LightMessage | null>(null);
  #shown = "";
  #asking: ReturnType<typeof setInterval> | undefined;
  #code: string | null = null;
  #leg: Leg | null = null;
  /** Which connection counts; what belongs to an older one is of the past. */
  #turn = 0;
  #tries = 0;
  #rejoins = 0;
  #steady: ReturnType<typeof setTimeout> | undefined;

  get isBusy(): boolean {
    return ["asking", "connecting", "in_call", "rejoining"].includes(this.phase);
  }

  /** Whether another press of the button could help. */
  get canJoin(): boolean {
    return this.error === null || !["missing", "invalid", "insecure", "unsupported"].includes(this.error);
  }

  /** Take the code from the address and ask whether it is valid, unless a call runs. */
  async load(): Promise<void> {
    if (this.isBusy) return;
    const turn = ++this.#turn;
    this.#code = takeCode(location, history, sessionStorage);
    this.phase = "checking";
    this.error = obstacle(navigator.mediaDevices as MediaDevices | undefined, isSecureContext, "RTCPeerConnection" in window);
    if (!this.error && this.#code === null) this.error = "missing";
    if (!this.error) this.error = await this.#ask().then(() => null, keyOf);
    if (turn === this.#turn) this.phase = "ready";
  }

  /** Ask for the devices, then join. */
  async start(withCamera = true): Promise<void> {
    if (this.isBusy) return;
    const turn = ++this.#turn;
    this.error = null;
    this.phase = "asking";
    this.facing = "user";
    this.isMuted = this.isCameraOff = false;
    this.#tries = this.#rejoins = 0;
    let stream: MediaStream;
    try {
      stream = await openMedia(withCamera);
    } catch (error) {
      return this.#fail(await mediaError(error));
    }
    if (turn !== this.#turn) return stream.getTracks().forEach((track) => track.stop());
    this.own = stream;
    for (const track of stream.getTracks()) this.#heed(track);
    void countCameras().then((n) => (this.nCameras = n));
    this.phase = "connecting";
    await this.#connect();
  }

  /** Hang up. */
  leave(): void {
    if (!this.isBusy) return;
    this.#release();
    this.phase = "ended";
  }

  toggleMicrophone(): void {
    this.isMuted = !this.isMuted;
    for (const track of this.own?.getAudioTracks() ?? []) track.enabled = !this.isMuted;
  }

  toggleCamera(): void {
    this.isCameraOff = !this.isCameraOff;
    for (const track of this.own?.getVideoTracks() ?? []) track.enabled = !this.isCameraOff;
  }

  /** Use the camera of the phone's other side, or a computer's next one. */
  async switchCamera(): Promise<void> {
    const stream = this.own;
    const before = stream?.getVideoTracks()[0];
    if (!stream || !before || this.isSwitching) return;
    this.isSwitching = true;
    const { facingMode, deviceId } = before.getSettings();
    const wanted: Facing = facingMode && this.facing === "user" ? "environment" : "user";
    const id = facingMode ? undefined : await nextCamera(deviceId);
    // Most phones open one camera at a time.
    before.stop();
    const track = await openCamera(wanted, id).catch(() => openCamera(this.facing, facingMode ? undefined : deviceId).catch(() => null));
    this.isSwitching = false;
    if (this.own !== stream) return track?.stop();
    if (!track) return this.#fail("deviceLost");
    this.facing = (track.getSettings().facingMode as Facing | undefined) ?? wanted;
    track.enabled = !this.isCameraOff;
    this.#heed(track);
    // A new stream, so that the page sees the change.
    this.own = new MediaStream([...stream.getAudioTracks(), track]);
    await this.#leg?.replacePicture(track).catch(() => undefined);
  }

  /** Show no more colours. */
  darken(): void {
    this.light = null;
  }

  /** The network came back: do not wait out the pause. */
  hurry(): void {
    this.#wake();
  }

  #wake = (): void => {};

  /** Ask whether there are colours to show; each set is shown once. */
  async #askLight(): Promise<void> {
    if (this.phase !== "in_call" || this.#code === null) return;
    const light = (await askJoin(this.#code).catch(() => null))?.light ?? null;
    if (!light || light.id === this.#shown) return;
    this.#shown = light.id;
    this.light = light;
    setTimeout(() => this.darken(), light.colours.length * light.step_s * 1000);
  }

  async #ask(): Promise<readonly string[]> {
    if (this.#code === null) throw new JoinError("missing", false);
    return (await askJoin(this.#code)).ice_servers;
  }

  async #connect(): Promise<void> {
    const turn = ++this.#turn;
    const isPast = (): boolean => turn !== this.#turn;
    try {
      const iceServers = await this.#ask();
      if (isPast() || !this.own) return;
      this.#hearNobody();
      const leg = await openLeg({
        code: this.#code ?? "",
        stream: this.own,
        iceServers,
        onTrack: (track) => isPast() || this.#hear(track),
        onConnected: () => isPast() || this.#settle(),
        onLost: () => isPast() || void this.#rejoin("lost"),
      });
      if (isPast()) return leg.close();
      this.#leg = leg;
      // The camera may have been switched while the service was answering.
      const picture = this.own.getVideoTracks()[0];
      if (picture) await leg.replacePicture(picture).catch(() => undefined);
    } catch (error) {
      if (isPast()) return;
      const wasIn = this.phase === "rejoining";
      if (error instanceof JoinError && error.retry && wasIn) return this.#rejoin(error.key);
      this.#fail(keyOf(error));
    }
  }

  #settle(): void {
    this.phase = "in_call";
    this.error = null;
    clearTimeout(this.#steady);
    this.#steady = setTimeout(() => (this.#tries = 0), STEADY_MS);
    clearInterval(this.#asking);
    this.#asking = setInterval(() => void this.#askLight(), LIGHT_MS);
  }

  async #rejoin(why: JoinErrorKey): Promise<void> {
    clearTimeout(this.#steady);
    this.#leg?.close();
    this.#leg = null;
    this.#hearNobody();
    const turn = ++this.#turn;
    const waitMs = this.#rejoins++ < MAX_REJOINS ? rejoinWaitMs(this.#tries++) : null;
    if (waitMs === null) return this.#fail(why === "unreachable" ? "lost" : why);
    this.phase = "rejoining";
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, waitMs);
    });
    if (turn === this.#turn) await this.#connect();
  }

  #hear(track: MediaStreamTrack): void {
    this.remote = new MediaStream([...(this.remote?.getTracks() ?? []), track]);
    if (track.kind !== "video") return;
    // A track that is negotiated but not sent stays muted.
    const look = (): void => {
      if (this.remote?.getTracks().includes(track)) this.hasRemotePicture = !track.muted && track.readyState === "live";
    };
    for (const event of ["mute", "unmute", "ended"]) track.addEventListener(event, look);
    look();
  }

  #hearNobody(): void {
    this.remote = null;
    this.hasRemotePicture = false;
  }

  /** A device that is pulled out, or taken away by the system, ends the call with a word about it. */
  #heed(track: MediaStreamTrack): void {
    track.addEventListener("ended", () => {
      if (this.own?.getTracks().includes(track)) this.#fail("deviceLost");
    });
  }

  #fail(key: JoinErrorKey): void {
    const wasIn = this.phase === "in_call" || this.phase === "rejoining";
    this.#release();
    if (key === "invalid") dropCode(sessionStorage);
    this.error = key;
    this.phase = wasIn ? "ended" : "ready";
  }

  #release(): void {
    this.#turn++;
    clearTimeout(this.#steady);
    clearInterval(this.#asking);
    this.darken();
    this.#leg?.close();
    for (const track of this.own?.getTracks() ?? []) track.stop();
    this.#leg = this.own = null;
    this.#hearNobody();
  }
}

function keyOf(error: unknown): JoinErrorKey {
  return error instanceof JoinError ? error.key : "unknown";
}

export const join = new Join();
