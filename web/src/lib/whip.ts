/** Sends a stream to the service by WHIP (RFC 9725): one offer, one answer, DELETE at the end. */
import { request } from "./api";
import { auth } from "./auth.svelte";

/** How long the offer waits for its network addresses; host candidates come within milliseconds [ms]. */
const GATHERING_MS = 1000;

export interface Publication {
  readonly session: string;
  /** Tell the service that the call is over, and close the connection. */
  close: () => void;
}

/**
 * Publish a stream.
 *
 * @param onLost Called once when the connection has failed for good.
 * @throws ApiError The service refused the offer.
 */
export async function publish(
  stream: MediaStream,
  name: string,
  iceServers: readonly string[],
  onLost: () => void,
): Promise<Publication> {
  const peer = new RTCPeerConnection(iceServers.length ? { iceServers: [{ urls: [...iceServers] }] } : {});
  try {
    // No rids: a server that cannot choose between simulcast layers gets the smallest one, 160x120.
    for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: "sendonly", streams: [stream] });
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    const response = await request(`/whip?name=${encodeURIComponent(name)}`, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: peer.localDescription?.sdp ?? "",
    });
    const resource = new URL(response.headers.get("Location") ?? "", response.url);
    watch(peer, onLost);
    await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    return { session: resource.pathname.split("/").at(-1) ?? "", close: () => hangUp(peer, resource) };
  } catch (error) {
    peer.close();
    throw error;
  }
}

function gathered(peer: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (peer.iceGatheringState === "complete") resolve();
    };
    peer.addEventListener("icegatheringstatechange", look);
    setTimeout(resolve, GATHERING_MS);
    look();
  });
}

function watch(peer: RTCPeerConnection, onLost: () => void): void {
  peer.addEventListener("connectionstatechange", () => {
    if (peer.connectionState === "failed") onLost();
  });
}

function hangUp(peer: RTCPeerConnection, resource: URL): void {
  const headers: HeadersInit = auth.token ? { Authorization: `Bearer ${auth.token}` } : {};
  // `keepalive` lets it out while the page goes away. The connection closes after it: a service that first saw the
  // peer vanish would no longer know the call. One that cannot be reached ends it by itself.
  fetch(resource, { method: "DELETE", headers, keepalive: true })
    .catch(() => undefined)
    .finally(() => peer.close());
}
