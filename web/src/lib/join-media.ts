/** Camera and microphone of a customer, and what to say when there are none. */
import type { JoinErrorKey } from "./join-strings";

export type Facing = "user" | "environment";

/** The other side is heard from the loudspeaker, so its echo must go; other filters would hide traces of a generator. */
const SOUND: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: false, autoGainControl: false };

function picture(facing: Facing, id?: string): MediaTrackConstraints {
  const which = id === undefined ? { facingMode: { ideal: facing } } : { deviceId: { exact: id } };
  return { ...which, width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30, max: 30 } };
}

/** Return why this page cannot use a camera at all, or null. */
export function obstacle(devices: MediaDevices | undefined, secure: boolean, hasPeer: boolean): JoinErrorKey | null {
  if (!secure) return "insecure";
  // Browsers within messengers have no camera for pages.
  return devices && "getUserMedia" in devices && hasPeer ? null : "unsupported";
}

/** Ask for microphone and camera. */
export async function openMedia(withCamera: boolean): Promise<MediaStream> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND, video: withCamera && picture("user") });
  stream.getVideoTracks().forEach(hint);
  return stream;
}

/** Ask for a camera by the side of the phone that it is on, or for one by its id. */
export async function openCamera(facing: Facing, id?: string): Promise<MediaStreamTrack> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: picture(facing, id) });
  const track = stream.getVideoTracks()[0];
  if (!track) throw new DOMException("no picture", "NotFoundError");
  hint(track);
  return track;
}

/** Return the next camera of a computer, where none has a side. */
export async function nextCamera(id: string | undefined): Promise<string | undefined> {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  const ids = devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId }) => deviceId);
  return ids[(ids.indexOf(id ?? "") + 1) % ids.length];
}

export async function countCameras(): Promise<number> {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return devices.filter(({ kind }) => kind === "videoinput").length;
}

/** Return which text says what went wrong; of a missing device it must be found out which one it is. */
export async function mediaError(error: unknown): Promise<JoinErrorKey> {
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError": {
      const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
      return devices.some(({ kind }) => kind === "audioinput") ? "noCamera" : "noMicrophone";
    }
    case "NotReadableError":
    case "AbortError":
      return "inUse";
    default:
      return "unknown";
  }
}

/** A face in motion. */
function hint(track: MediaStreamTrack): void {
  track.contentHint = "motion";
}
