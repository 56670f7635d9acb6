"""SDP texts: what we accept of an offer or a trickled fragment, what we add to an answer. Pure: text in, text out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import MediaDescription, SessionDescription

from stream.errors import SignallingError
from stream.ingest.guard import RTC_FAILURES
from stream.ingest.ice import MAX_CANDIDATES, parse_candidate

MAX_SDP_BYTES = 64 * 1024
MAX_SECTIONS = 4

# Chromium starts a call at 210-410 kbit/s for ten seconds, too blurred to judge. Asked for this it sends 1.25-1.9
# Mbit/s within 2.5 s; other senders ignore it.
START_BITRATE = "x-google-start-bitrate=1500;x-google-min-bitrate=600;x-google-max-bitrate=2500"

# RFC 8839 section 5.4: ice-char, at least 4 and 22 of them. aioice puts them into STUN unchecked.
_UFRAG = re.compile(r"[\w+/=-]{4,256}", re.ASCII)
_PASSWORD = re.compile(r"[\w+/=-]{22,256}", re.ASCII)
_VIDEO_CODEC = re.compile(r"a=rtpmap:(\d+) (?:VP8|H264)/90000")
_SENDING = ("sendrecv", "sendonly")
_RECEIVING = ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer that may be given to aiortc."""

    sdp: str
    ufrags: frozenset[str]
    """ICE user names of the caller; a fragment with another one would be a restart."""
    n_candidates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """What a caller trickles: RFC 8840."""

    ufrag: str | None
    candidates: tuple[RTCIceCandidate, ...]


def vet_offer(text: str, *, to_watch: bool = False) -> Offer:
    """Check an offer and take out what is of no use or no good: the candidates that we would not try.

    The mark for the end of the candidates goes too: without it a caller whose addresses we cannot use is still found
    by its own checks; the connect time-out ends what never connects.

    Args:
        text: SDP, as it came.
        to_watch: Whether it must receive something from us, and need not send anything.

    Raises:
        SignallingError: It is too long (413), or none that media could go by (400).
    """
    lines = _split(text)
    if not lines or lines[0].strip() != "v=0":
        raise SignallingError("the offer is no SDP: the first line must be v=0")
    kinds = [line[2:].split(" ", 1)[0] for line in lines if line.startswith("m=")]
    if not 1 <= len(kinds) <= MAX_SECTIONS:
        raise SignallingError(f"the offer has {len(kinds)} media sections, 1 to {MAX_SECTIONS} are allowed")
    if others := sorted(set(kinds) - {"audio", "video"}):
        raise SignallingError(f"the offer has a section of kind {others[0][:20]!r}, only audio and video are accepted")
    if any(re.match(r"a=(simulcast|rid):", line) for line in lines):
        raise SignallingError("the offer has simulcast; send one full-size encoding, without sendEncodings")
    kept = [line for line in _limit_candidates(lines) if not line.startswith("a=end-of-candidates")]
    sdp = "\r\n".join(kept) + "\r\n"
    ufrags = _check_media(_parse(sdp), to_watch=to_watch)
    return Offer(sdp=sdp, ufrags=ufrags, n_candidates=sum(line.startswith("a=candidate:") for line in kept))


def parse_fragment(text: str) -> Fragment:
    """Parse an `application/trickle-ice-sdpfrag`; candidates that we would not try are left out.

    Raises:
        SignallingError: It is too long (413), or has neither a user name nor a candidate (400).
    """
    ufrag = None
    mid: str | None = None
    index = -1
    candidates = []
    for line in _split(text):
        name, _, value = line.partition(":")
        if line.startswith("m="):
            index, mid = index + 1, None
        elif name == "a=mid":
            mid = value.strip()
        elif name == "a=ice-ufrag":
            ufrag = value.strip()
        elif name == "a=candidate" and (candidate := parse_candidate(value)) is not None:
            candidate.sdpMid = mid
            candidate.sdpMLineIndex = max(index, 0) if mid is None else None
            candidates.append(candidate)
    if ufrag is None and not candidates and "a=end-of-candidates" not in text:
        raise SignallingError("the fragment has no a=ice-ufrag, a=candidate or a=end-of-candidates")
    return Fragment(ufrag=ufrag, candidates=tuple(candidates))


def raise_bitrate(answer: str) -> str:
    """Add the bit rate to start with to each video codec of an answer."""
    lines = answer.splitlines()
    payload_types = [match[1] for line in lines if (match := _VIDEO_CODEC.match(line))]
    return "\r\n".join(_with_bitrate(lines, payload_types)) + "\r\n"


def _with_bitrate(lines: list[str], payload_types: list[str]) -> Iterator[str]:
    with_fmtp = {
        payload_type for payload_type in payload_types for line in lines if line.startswith(_fmtp(payload_type))
    }
    for line in lines:
        match = _VIDEO_CODEC.match(line)
        if any(line.startswith(_fmtp(payload_type)) for payload_type in with_fmtp):
            yield f"{line};{START_BITRATE}"
        else:
            yield line
        if match is not None and match[1] not in with_fmtp:
            yield _fmtp(match[1]) + START_BITRATE


def _fmtp(payload_type: str) -> str:
    return f"a=fmtp:{payload_type} "


def _split(text: str) -> list[str]:
    try:
        n_bytes = len(text.encode())
    except UnicodeEncodeError as exc:
        raise SignallingError("the SDP is not valid UTF-8") from exc
    if n_bytes > MAX_SDP_BYTES:
        raise SignallingError(f"the SDP has {n_bytes} bytes, {MAX_SDP_BYTES} are allowed", status=413)
    # Not str.splitlines, which also breaks at characters that SDP does not know: aiortc would see other lines than we.
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    for line in lines:
        if len(line.splitlines()) > 1 or "\0" in line:
            raise SignallingError(f"the SDP has a control character in {line[:20]!r}")
    return lines


def _limit_candidates(lines: list[str]) -> Iterator[str]:
    n_kept = 0
    for line in lines:
        if line.startswith("a=candidate"):
            if n_kept == MAX_CANDIDATES or parse_candidate(line.partition(":")[2]) is None:
                continue
            n_kept += 1
        yield line


def _parse(sdp: str) -> SessionDescription:
    try:
        return SessionDescription.parse(sdp)
    except StopIteration as exc:  # aiortc looks for the codec of an a=fmtp or a=rtcp-fb line with next()
        raise SignallingError("the offer names a payload type without a=rtpmap") from exc
    except RTC_FAILURES as exc:
        raise SignallingError(f"the offer cannot be read: {type(exc).__name__}: {str(exc)[:80]}") from exc


def _check_media(description: SessionDescription, *, to_watch: bool) -> frozenset[str]:
    """Refuse what aiortc would only stumble over in tasks of its own; return the ICE user names."""
    sending = [media.kind for media in description.media if (media.direction or "sendrecv") in _SENDING]
    if to_watch and not any((media.direction or "sendrecv") in _RECEIVING for media in description.media):
        raise SignallingError("the offer receives nothing; at least one a=recvonly or a=sendrecv is needed")
    if to_watch and len({media.kind for media in description.media}) < len(description.media):
        raise SignallingError("the offer has two sections of a kind; one audio and one video are sent")
    if not sending and not to_watch:
        raise SignallingError("the offer sends nothing; at least one a=sendonly or a=sendrecv is needed")
    if len(set(sending)) < len(sending):
        raise SignallingError("the offer sends two tracks of a kind; one audio and one video are looked at")
    mids = [media.rtp.muxId for media in description.media]
    if len(set(mids)) < len(mids):
        raise SignallingError("the offer has two media sections with the same a=mid")
    for group in description.group:
        if group.semantic == "BUNDLE" and not set(group.items) <= set(mids):
            raise SignallingError("the offer bundles a media section that it does not have")
    return frozenset(_check_transport(media) for media in description.media)


def _check_transport(media: MediaDescription) -> str:
    if media.dtls is None or not media.dtls.fingerprints:
        raise SignallingError(
            f"the offer's {media.kind} has no a=fingerprint or no a=setup: only DTLS-SRTP is accepted"
        )
    ufrag = (media.ice and media.ice.usernameFragment) or ""
    password = (media.ice and media.ice.password) or ""
    if not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        raise SignallingError(f"the offer's {media.kind} has no valid a=ice-ufrag and a=ice-pwd")
    return ufrag
