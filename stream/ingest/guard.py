"""Everything that aiortc 1.16 and aioice 0.13 leave open, closed in one place. Knows no call and no setting.

- aioice hands datagrams from any address to the session: one empty datagram from a stranger ends a connected call, a
  plaintext DTLS alert fails a handshake. `install` lets only the ICE peer through.
- A track that nobody reads grows by 14 MB/s (640x480 at 30/s), and so does the queue before the decoder where the
  machine is too slow. `protect` puts bounded queues in both places.
- The sound's jitter buffer loses five more frames for each lost packet. `protect` puts ours in.
- A machine without a network has no address to be called at, not even from itself: `install` adds loopback.
- Odd but accepted offers raise in tasks that nobody awaits (`guard_connect`), and in `close` (`close_quietly`).

All of it hangs on private names. They are listed in `PRIVATE_NAMES`; `install` refuses to start where one is missing.
"""

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aioice import ice, stun
from aiortc import RTCPeerConnection, RTCRtpReceiver
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from av.frame import Frame
from OpenSSL import SSL

from stream.errors import SettingsError
from stream.events import Medium
from stream.ingest.decoder_queue import DecoderQueue
from stream.ingest.jitter import AudioJitterBuffer

log = logging.getLogger(__name__)

# Frames, newest kept: a reader that is behind wants the newest picture, and all the sound of the last two seconds.
MAX_DECODED = {Medium.VIDEO: 2, Medium.AUDIO: 100}
# Of one peer, between two turns of the event loop or before its DTLS starts: about a second of a 10 Mbit/s stream.
MAX_DATAGRAMS = 1024
CLOSE_TIMEOUT_S = 5.0

JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"
DECODER_QUEUE = "_RTCRtpReceiver__decoder_queue"
DECODER_ERROR = "_RTCRtpReceiver__decoder_error"
RATE_ESTIMATOR = "_RTCRtpReceiver__remote_bitrate_estimator"
CONNECT = "_RTCPeerConnection__connect"
ICE_TRANSPORTS = "_RTCPeerConnection__iceTransports"
DTLS_TRANSPORTS = "_RTCPeerConnection__dtlsTransports"
DTLS_RUN = "_RTCDtlsTransport__run"

PRIVATE_NAMES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (RTCRtpReceiver, (JITTER_BUFFER, DECODER_QUEUE, DECODER_ERROR, RATE_ESTIMATOR)),
    (RemoteStreamTrack, ("_queue",)),
    (RTCPeerConnection, (CONNECT, ICE_TRANSPORTS, DTLS_TRANSPORTS)),
    (RTCDtlsTransport, (DTLS_RUN,)),
    (ice.StunProtocol, ("datagram_received",)),
    (ice.Connection, ("_check_list", "_nominated", "_queue")),
    (ice.CandidatePair, ("remote_addr", "state")),
)

# What aiortc and aioice raise, by a fuzz of 400 changed Chromium offers, where they should refuse.
RTC_FAILURES: tuple[type[Exception], ...] = (
    ValueError,  # 111 of 400: a number that is none, an unknown attribute value, a candidate after the last
    RuntimeError,  # 54: a StopIteration inside of a coroutine: a=fmtp for a payload type without a=rtpmap
    AssertionError,  # 9: an m= line or payload type out of range, no fingerprint
    IndexError,  # 8: an attribute with too few words
    AttributeError,  # 8: an attribute without a value; a=setup missing; a BUNDLE group whose first mid is unknown
    KeyError,  # 2: an unknown a=setup role
    TypeError,  # an attribute without a value where a number is read
    OverflowError,  # a number beyond 32 bits that is packed into RTP or STUN
    struct.error,  # the same, in struct
    ConnectionError,  # the peer left between two steps of the handshake
    SSL.Error,  # DTLS that is none
    InternalError,
    InvalidAccessError,
    InvalidStateError,  # the connection was closed between two steps
    OperationError,  # no codec in common
)

CLOSE_FAILURES: tuple[type[Exception], ...] = (TimeoutError, *RTC_FAILURES)

_INSTALLED = "_is_guarded"
_host_addresses = ice.get_host_addresses


class FrameQueue(asyncio.Queue[Frame | None]):
    """Between the decoder thread and the reader: the oldest frame goes when it is full. The end mark always fits."""

    def __init__(self, n_max: int) -> None:
        super().__init__()
        self._n_max = n_max
        self.n_dropped = 0

    async def put(self, item: Frame | None) -> None:
        """Add a frame, or None at the end of the track."""
        if item is not None and self.qsize() >= self._n_max:
            self.get_nowait()
            self.n_dropped += 1
        self.put_nowait(item)


class CappedRate:
    """What aiortc asks a sender for, which can be held lower.

    Args:
        estimator: aiortc's own, of what the network bears.
    """

    def __init__(self, estimator: RemoteBitrateEstimator) -> None:
        self._estimator = estimator
        self.cap_bit_s: int | None = None
        """At most this is asked for; None: what the network bears [bit/s]."""

    def add(self, **packet: int) -> tuple[int, list[int]] | None:
        """Take a packet; return the rate to ask for and of whom, when it is time to ask."""
        asked = self._estimator.add(**packet)
        if asked is None or self.cap_bit_s is None:
            return asked
        return min(asked[0], self.cap_bit_s), asked[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackGuard:
    """The bounded queues of one track."""

    encoded: DecoderQueue
    decoded: FrameQueue
    rate: CappedRate | None = None
    """What the sender of pictures is asked for; None for sound."""

    @property
    def n_dropped(self) -> int:
        """Frames that were let go before the reader saw them."""
        return self.encoded.n_dropped + self.decoded.n_dropped


def missing_names(names: Iterable[tuple[type, tuple[str, ...]]] = PRIVATE_NAMES) -> list[str]:
    """Return the private names that the installed aiortc and aioice do not have."""
    return [f"{owner.__name__}.{name}" for owner, wanted in names for name in wanted if not _has(owner, name)]


def _has(owner: type, name: str) -> bool:
    # Attributes of instances are named in the code of __init__, mangled as they are at run time.
    return hasattr(owner, name) or name in owner.__init__.__code__.co_names  # type: ignore[misc]  # read only


def install() -> None:
    """Close what concerns all connections of this process: strangers' datagrams, no address. Later calls do nothing.

    Raises:
        SettingsError: The installed aiortc or aioice lacks a name that this module needs.
    """
    if missing := missing_names():
        raise SettingsError(f"aiortc or aioice lacks {', '.join(missing)}; install aiortc 1.16 with aioice 0.13")
    original = ice.StunProtocol.datagram_received
    if hasattr(original, _INSTALLED):
        return

    def datagram_received(self: ice.StunProtocol, data: bytes | str, addr: tuple[Any, ...]) -> None:
        if isinstance(data, bytes) and is_wanted(self.receiver, data, (addr[0], addr[1])):
            original(self, data, addr)

    setattr(datagram_received, _INSTALLED, True)
    ice.get_host_addresses = host_addresses
    ice.StunProtocol.datagram_received = datagram_received  # type: ignore[method-assign]  # what this module is for


def host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    """Return our addresses; loopback only where there is no other."""
    return _host_addresses(use_ipv4, use_ipv6) or ["127.0.0.1"]


def is_wanted(connection: ice.Connection, data: bytes, address: tuple[str, int]) -> bool:
    """Whether a datagram may reach the session: STUN from anyone (ICE checks it), the rest from the ICE peer only.

    Source:
        RFC 7983 section 7 (STUN begins with 0 to 3); RFC 8445 section 12.1 (data on valid pairs).
    """
    if not data:
        return False
    if data[0] < 4:
        return _is_stun(data)
    if connection._queue.qsize() >= MAX_DATAGRAMS:
        return False
    if any(pair.remote_addr == address for pair in connection._nominated.values()):
        return True
    succeeded = ice.CandidatePair.State.SUCCEEDED
    return any(pair.remote_addr == address for pair in connection._check_list if pair.state is succeeded)


def _is_stun(data: bytes) -> bool:
    """aioice takes what it cannot parse for media, and some of it raises out of its parser."""
    try:
        stun.parse_message(data)
    except (ValueError, struct.error):
        return False
    return True


def protect(pc: RTCPeerConnection, track: MediaStreamTrack) -> TrackGuard:
    """Bound the queues of a remote track. Call it in `on("track")`: later, the decoder thread holds the old ones."""
    receiver = next(receiver for receiver in pc.getReceivers() if receiver.track is track)
    medium = Medium(track.kind)
    estimator = getattr(receiver, RATE_ESTIMATOR)
    guard = TrackGuard(
        encoded=DecoderQueue(medium, getattr(receiver, DECODER_ERROR)),
        decoded=FrameQueue(MAX_DECODED[medium]),
        rate=CappedRate(estimator) if estimator is not None else None,
    )
    setattr(receiver, RATE_ESTIMATOR, guard.rate)
    track._queue = guard.decoded  # type: ignore[attr-defined]  # of RemoteStreamTrack
    setattr(receiver, DECODER_QUEUE, guard.encoded)
    if medium is Medium.AUDIO:
        setattr(receiver, JITTER_BUFFER, AudioJitterBuffer())
    _contain(receiver.transport, DTLS_RUN)
    return guard


def guard_connect(pc: RTCPeerConnection) -> None:
    """Have a failed handshake end in a log line: aiortc runs it in a task that nobody awaits."""
    _contain(pc, CONNECT)


def _contain(owner: object, method: str) -> None:
    original: Callable[[], Awaitable[None]] = getattr(owner, method)

    async def contained() -> None:
        try:
            await original()
        except RTC_FAILURES as exc:
            log.info("%s ended: %s: %s", method, type(exc).__name__, exc)

    setattr(owner, method, contained)


async def close_quietly(pc: RTCPeerConnection) -> None:
    """Close a connection whatever state its offer left it in; never raises, and leaves no socket or thread behind."""
    if await _ends(pc.close()):
        return
    for transceiver in pc.getTransceivers():
        await _ends(transceiver.stop())
    for name in (DTLS_TRANSPORTS, ICE_TRANSPORTS):
        for transport in list(getattr(pc, name)):
            await _ends(transport.stop())


async def _ends(closing: Awaitable[None]) -> bool:
    try:
        await asyncio.wait_for(closing, CLOSE_TIMEOUT_S)
    except CLOSE_FAILURES as exc:
        log.info("closing a connection: %s: %s", type(exc).__name__, exc)
        return False
    return True
