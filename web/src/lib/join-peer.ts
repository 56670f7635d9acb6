/** A customer's way into a call: `GET /v1/join` and WHIP (RFC 9725), with the code of the link. It calls nothing else. */
import type { JoinErrorKey } from "./join-strings";
import { isGone, newPeer, offerOf, watchPeer } from "./peer";
import type { JoinMessage } from "./wire";

/** Joining failed; `key` says which text tells why, `retry` whether a later try may succeed. */
export class JoinError extends Error {
  constructor(
    readonly key: JoinErrorKey,
    readonly retry: boolean,
  ) {
    super(key);
  }
}

export interface Leg {
  /** Send another camera's picture from now on. */
  replacePicture: (track: MediaStreamTrack) => Promise<void>;
  /** Hang up. */
  close: () => void;
}

export interface LegOptions {
  code: string;
  stream: MediaStream;
  iceServers: readonly string[];
  onTrack: (track: MediaStreamTrack) => void;
  onConnected: () => void;
  onLost: () => void;
}

/**
 * Ask how to join.
 *
 * @throws JoinError The link is not valid, or the service cannot be reached.
 */
export async function askJoin(code: string): Promise<JoinMessage> {
  const response = await send(code, "/v1/join", { headers: { Accept: "application/json" }, cache: "no-store" });
  return (await response.json()) as JoinMessage;
}

/**
 * Send and take sound and picture.
 *
 * @throws JoinError The service did not take the call.
 */
export async function openLeg(options: LegOptions): Promise<Leg> {
  const { code, stream } = options;
  const peer = newPeer(options.iceServers);
  let resource: URL | null = null;
  try {
    for (const kind of ["audio", "video"] as const) {
      const track = stream.getTracks().find((found) => found.kind === kind);
      // Without a camera of ours, the other side may still be seen.
      if (track) peer.addTransceiver(track, { direction: "sendrecv", streams: [stream] });
      else peer.addTransceiver(kind, { direction: "recvonly" });
    }
    peer.addEventListener("track", ({ track }) => options.onTrack(track));
    watchPeer(peer, options.onConnected, options.onLost);
    const body = await offerOf(peer);
    const response = await send(code, "/whip", { method: "POST", headers: { "Content-Type": "application/sdp" }, body });
    resource = new URL(response.headers.get("Location") ?? "", response.url);
    await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
  } catch (error) {
    hangUp(code, peer, resource);
    throw error instanceof JoinError ? error : new JoinError("unknown", false);
  }
  return {
    replacePicture: async (track) => {
      const sender = peer.getSenders().find((found) => found.track?.kind === "video");
      await sender?.replaceTrack(track);
    },
    close: () => hangUp(code, peer, resource),
  };
}

async function send(code: string, path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${code}`);
  const response = await fetch(path, { ...init, headers, credentials: "omit" }).catch(() => {
    throw new JoinError("unreachable", true);
  });
  if (response.ok) return response;
  throw refusal(response.status);
}

/** Return what a refusal means to a customer. */
export function refusal(status: number): JoinError {
  if ([401, 403, 404, 410].includes(status)) return new JoinError("invalid", false);
  if (status === 429 || status === 503) return new JoinError("full", true);
  return status >= 500 ? new JoinError("unreachable", true) : new JoinError("unknown", false);
}

function hangUp(code: string, peer: RTCPeerConnection, resource: URL | null): void {
  if (!resource || isGone(peer)) return peer.close();
  // `keepalive` lets it out while the page goes away; the connection closes after it, so that the call is still known.
  fetch(resource, { method: "DELETE", headers: { Authorization: `Bearer ${code}` }, credentials: "omit", keepalive: true })
    .catch(() => undefined)
    .finally(() => peer.close());
}
