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
import queue
import struct
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aioice import ice, stun
from aiortc import RTCPeerConnection, RTCRtpReceiver
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from av.frame import Frame
from OpenSSL import SSL

from stream.errors import SettingsError
from stream.events import Medium
from stream.ingest.jitter import AudioJitterBuffer

log = logging.getLogger(__name__)

# Frames, newest kept: a reader that is behind wants the newest picture, and all the sound of the last two seconds.
MAX_DECODED = {Medium.VIDEO: 2, Medium.AUDIO: 100}
# Encoded frames before the decoder thread: a second of pictures, two of sound.
MAX_ENCODED = {Medium.VIDEO: 30, Medium.AUDIO: 100}
# Of one peer, between two turns of the event loop or before its DTLS starts: about a second of a 10 Mbit/s stream.
MAX_DATAGRAMS = 1024
CLOSE_TIMEOUT_S = 5.0
# Ask for a key frame again after so many pictures that were dropped for want of one.
KEY_FRAME_EVERY = 30

JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"
DECODER_QUEUE = "_RTCRtpReceiver__decoder_queue"
DECODER_ERROR = "_RTCRtpReceiver__decoder_error"
CONNECT = "_RTCPeerConnection__connect"
ICE_TRANSPORTS = "_RTCPeerConnection__iceTransports"
DTLS_TRANSPORTS = "_RTCPeerConnection__dtlsTransports"
DTLS_RUN = "_RTCDtlsTransport__run"

PRIVATE_NAMES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (RTCRtpReceiver, (JITTER_BUFFER, DECODER_QUEUE, DECODER_ERROR)),
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


class DecoderQueue(queue.Queue[Any]):
    """Between the event loop and the decoder thread: (codec, encoded frame), or None to stop.

    When it is full everything goes, and of pictures all up to the next key frame, for the ones between would be
    decoded onto a wrong picture: bad evidence. `error` is what makes aiortc ask the sender for a key frame.

    Args:
        medium: What is decoded.
        error: Set when a key frame is needed.
    """

    def __init__(self, medium: Medium, error: threading.Event) -> None:
        super().__init__()
        self._medium = medium
        self._error = error
        self._n_unusable = 0
        self._needs_key = False
        self.n_dropped = 0

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add a frame; `None` goes first, so that a thread that is behind ends at once."""
        if item is None:
            self._drop_all()
        elif self.qsize() >= MAX_ENCODED[self._medium]:
            self._drop_all()
            self._needs_key = self._medium is Medium.VIDEO
            self._n_unusable = 0
        if item is not None and self._needs_key and not self._is_key(item):
            return
        self._needs_key = False
        super().put(item, block, timeout)

    def _is_key(self, item: Any) -> bool:
        codec, frame = item
        if is_key_frame(codec.name, frame.data):
            return True
        if self._n_unusable % KEY_FRAME_EVERY == 0:
            self._error.set()
        self._n_unusable += 1
        self.n_dropped += 1
        return False

    def _drop_all(self) -> None:
        try:
            while True:
                self.get_nowait()
                self.n_dropped += 1
        except queue.Empty:
            pass


def is_key_frame(codec: str, data: bytes) -> bool:
    """Whether an encoded picture needs none before it.

    Source:
        RFC 6386 section 9.1 (VP8: lowest bit of the first byte is 0); RFC 6184 section 5.2 (H.264: NAL unit type 5).
    """
    if codec.upper() == "VP8":
        return bool(data) and not data[0] & 1
    return any(unit[:1] and unit[0] & 0x1F == 5 for unit in data.split(b"\x00\x00\x01")[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackGuard:
    """The bounded queues of one track."""

    encoded: DecoderQueue
    decoded: FrameQueue

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
    guard = TrackGuard(
        encoded=DecoderQueue(medium, getattr(receiver, DECODER_ERROR)), decoded=FrameQueue(MAX_DECODED[medium])
    )
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
