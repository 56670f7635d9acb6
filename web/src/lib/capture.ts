/** Sound and picture from the browser, as unprocessed as it gives them: filters of a call hide traces of a generator. */
import { ERROR } from "./strings";

export type Kind = "camera" | "tab";

/** What the browser lets a page ask for beyond the types of TypeScript's DOM library. */
interface DisplayOptions extends DisplayMediaStreamOptions {
  selfBrowserSurface?: "include" | "exclude";
  surfaceSwitching?: "include" | "exclude";
  systemAudio?: "include" | "exclude";
}

interface RawAudio extends MediaTrackConstraints {
  suppressLocalAudioPlayback?: boolean;
}

/** By which a captured tab says that it shows our own page (Capture Handle). */
export const OWN_HANDLE = "kua";

interface HandledTrack extends MediaStreamTrack {
  getCaptureHandle?: () => { handle?: string } | null;
}

/** What a capture of a screen shows that it should not, if the browser tells. */
export type Shown = "own_page" | "whole_screen" | "fine";

const RAW: RawAudio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
/** A phone films the other phone with the camera on its back. */
const CAMERA = { facingMode: { ideal: "environment" }, width: { ideal: 640, max: 640 }, height: { ideal: 480, max: 480 }, frameRate: { ideal: 30, max: 30 } };
const SCREEN = { width: { max: 1280 }, height: { max: 720 }, frameRate: { ideal: 15, max: 15 } };

/**
 * Ask for the camera and microphone, or for a tab or screen with its sound.
 *
 * @throws DOMException The reader or the browser refused; `captureError` puts it into words.
 */
export async function capture(kind: Kind): Promise<MediaStream> {
  const stream = await (kind === "tab" ? captureTab() : captureCamera());
  // A face in motion: without the hint a shared tab is sent as text, sharp but with few pictures a second.
  for (const track of stream.getVideoTracks()) track.contentHint = "motion";
  return stream;
}

/** Return whether a capture shows our own page, or may show it: the other side must never see an alert. */
export function shownBy(stream: MediaStream): Shown {
  const track = stream.getVideoTracks()[0] as HandledTrack | undefined;
  if (track?.getCaptureHandle?.()?.handle === OWN_HANDLE) return "own_page";
  const surface = track?.getSettings().displaySurface;
  return surface === "monitor" || surface === "window" ? "whole_screen" : "fine";
}

/** Return what to say of an error of `capture`. */
export function captureError(error: unknown): string {
  const name = error instanceof DOMException || error instanceof Error ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return ERROR.denied;
    case "NotFoundError":
    case "OverconstrainedError":
      return ERROR.noDevice;
    case "NotReadableError":
    case "AbortError":
      return ERROR.inUse;
    case "NotSupportedError":
      return ERROR.unsupported;
    default:
      return ERROR.unknown(error instanceof Error ? error.message : String(error));
  }
}

/** Return why this page cannot capture at all, or null. */
export function captureObstacle(kind: Kind, devices: MediaDevices | undefined, secure: boolean): string | null {
  if (!secure || !devices) return ERROR.insecure;
  return kind === "tab" && !("getDisplayMedia" in devices) ? ERROR.unsupported : null;
}

function captureTab(): Promise<MediaStream> {
  const options: DisplayOptions = {
    video: SCREEN,
    // The call must stay audible to the person in it.
    audio: { ...RAW, suppressLocalAudioPlayback: false } as RawAudio,
    selfBrowserSurface: "exclude",
    surfaceSwitching: "include",
    systemAudio: "include",
  };
  return navigator.mediaDevices.getDisplayMedia(options);
}

/** One of the two devices is enough: the other signal then stays grey. */
async function captureCamera(): Promise<MediaStream> {
  const devices = navigator.mediaDevices;
  try {
    return await devices.getUserMedia({ audio: RAW, video: CAMERA });
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "NotFoundError") throw error;
    const found = await devices.enumerateDevices();
    const audio = found.some((device) => device.kind === "audioinput") && RAW;
    const video = found.some((device) => device.kind === "videoinput") && CAMERA;
    if (!audio && !video) throw error;
    return devices.getUserMedia({ audio, video });
  }
}
