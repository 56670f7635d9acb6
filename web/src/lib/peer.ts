/** What all connections of our pages have in common: addresses gathered before the offer, and when one is lost. */

/** How long the offer waits for its network addresses; host candidates come within milliseconds [ms]. */
const GATHERING_MS = 1000;
/** A connection that stalls may come back; after this long it is lost [ms]. */
const STALLED_MS = 6000;

export function newPeer(iceServers: readonly string[]): RTCPeerConnection {
  return new RTCPeerConnection(iceServers.length ? { iceServers: [{ urls: [...iceServers] }] } : {});
}

/** Return the offer with its addresses, as one text. */
export async function offerOf(peer: RTCPeerConnection): Promise<string> {
  await peer.setLocalDescription(await peer.createOffer());
  await gathered(peer);
  return peer.localDescription?.sdp ?? "";
}

/** Tell once when the connection stands and once when it is lost for good. */
export function watchPeer(peer: RTCPeerConnection, onConnected: () => void, onLost: () => void): void {
  let stalled: ReturnType<typeof setTimeout> | undefined;
  let lost = false;
  const lose = (): void => {
    // A connection that we closed ourselves was not lost.
    if (lost || peer.signalingState === "closed") return;
    lost = true;
    onLost();
  };
  const heard = new WeakSet<RTCDtlsTransport>();
  peer.addEventListener("connectionstatechange", () => {
    clearTimeout(stalled);
    if (peer.connectionState === "connected") {
      hearGoodbye(peer, heard, lose);
      onConnected();
    }
    if (peer.connectionState === "disconnected") stalled = setTimeout(lose, STALLED_MS);
    if (peer.connectionState === "failed") lose();
  });
}

/** Whether the other side has hung up: then there is nothing left to leave. */
export function isGone(peer: RTCPeerConnection): boolean {
  return peer.getTransceivers().some(({ receiver }) => receiver.transport?.state === "closed");
}

/** A service that hangs up closes the transport at once; the connection's own state tells it eight seconds later. */
function hearGoodbye(peer: RTCPeerConnection, heard: WeakSet<RTCDtlsTransport>, lose: () => void): void {
  for (const { receiver } of peer.getTransceivers()) {
    const transport = receiver.transport;
    if (!transport || heard.has(transport)) continue;
    heard.add(transport);
    transport.addEventListener("statechange", () => {
      if (transport.state === "closed") lose();
    });
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
