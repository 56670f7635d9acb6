"""Addresses of a peer that come after its offer (RFC 8840)."""

from aiortc import RTCPeerConnection

from stream.errors import SignallingError
from stream.ingest.guard import RTC_FAILURES
from stream.ingest.ice import MAX_CANDIDATES
from stream.ingest.offer import Fragment, Offer


class Trickle:
    """Takes trickled candidates of one peer, up to `MAX_CANDIDATES` in all.

    Args:
        pc: Of the peer.
        offer: What it began with.
    """

    def __init__(self, pc: RTCPeerConnection, offer: Offer) -> None:
        self._pc = pc
        self._ufrags = offer.ufrags
        self._n_candidates = offer.n_candidates

    async def take(self, fragment: Fragment) -> None:
        """Try more addresses of the peer.

        Raises:
            SignallingError: It is an ICE restart (422), or cannot be used (400).
        """
        if fragment.ufrag is not None and fragment.ufrag not in self._ufrags:
            raise SignallingError("ICE restarts are not supported; make a new offer", status=422)
        for candidate in fragment.candidates[: MAX_CANDIDATES - self._n_candidates]:
            try:
                await self._pc.addIceCandidate(candidate)
            except RTC_FAILURES as exc:
                raise SignallingError(f"the candidate cannot be used: {type(exc).__name__}") from exc
            self._n_candidates += 1
