"""Our own WebSocket ingest, version 1: text and bytes in, frozen values out, and back. No I/O, no clock, no media.

`PROTOCOL.md` beside this file is the same for people who write a sender. Whatever a stranger sends, the only error
that leaves this module is `WireError`. Nothing here can say a verdict: the remote party may be the sender.
"""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, TypeVar

from stream.errors import SignallingError
from stream.events import Gap, Medium
from stream.ingest.fields import Fields, parse_object, shorten

VERSION = 1

HEADER = struct.Struct(">BBHQ")  # kind, flags, reserved, timestamp [us]
MAX_TEXT_BYTES = 16 * 1024
MAX_PAYLOAD_BYTES = {Medium.AUDIO: 64 * 1024, Medium.VIDEO: 256 * 1024}
MAX_MESSAGE_BYTES = HEADER.size + max(MAX_PAYLOAD_BYTES.values())
MAX_NAME_CHARS = 80
MAX_SIDE_PX = 1920
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000
MAX_GAP_S = 60.0

_KINDS = {1: Medium.AUDIO, 2: Medium.VIDEO}
_KIND_OF = {medium: kind for kind, medium in _KINDS.items()}
_FLAG_KEY = 1
# RFC 6455 section 5.5: a control frame holds 125 bytes, of which 2 are the code.
_MAX_REASON_BYTES = 123


T = TypeVar("T")


class CloseCode(IntEnum):
    """Why a connection ends. 4xxx minus 4000 is the HTTP status that means the same."""

    BYE = 1000
    MALFORMED = 4400
    UNAUTHORISED = 4401
    TIMEOUT = 4408
    OUT_OF_ORDER = 4409
    TOO_LARGE = 4413
    TOO_FAST = 4429
    FULL = 4503


class WireError(SignallingError):
    """A message that we refuse.

    Args:
        message: What was got, what was expected.
        code: What the connection is closed with.
    """

    def __init__(self, message: str, code: CloseCode = CloseCode.MALFORMED) -> None:
        super().__init__(message, status=code - 4000)
        self.code = code


class AudioCodec(StrEnum):
    """How sound is encoded."""

    PCM_S16LE = "pcm_s16le"
    OPUS = "opus"


class VideoCodec(StrEnum):
    """How pictures are encoded."""

    JPEG = "jpeg"
    VP8 = "vp8"
    H264 = "h264"
    """Annex B; each message is one access unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFormat:
    """The sound that will come."""

    codec: AudioCodec
    rate_hz: int
    channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFormat:
    """The pictures that will come; their size may change, within `MAX_SIDE_PX`."""

    codec: VideoCodec
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first message of a sender."""

    name: str = ""
    audio: AudioFormat | None = None
    video: VideoFormat | None = None


@dataclass(frozen=True, slots=True)
class Bye:
    """The last message of a sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """Our answer to a hello."""

    session: str
    max_message_bytes: int = MAX_MESSAGE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What we say before we close for cause."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One encoded picture or stretch of sound."""

    medium: Medium
    time_us: int
    """Of its first sample, on the sender's clock, which both media share [us]."""
    payload: bytes
    is_key: bool = False
    """Decodable without the ones before; every JPEG and every sound packet is."""


Control = Hello | Gap | Bye
Reply = Welcome | Refusal


def encode_packet(packet: Packet) -> bytes:
    """Return the binary message of a packet."""
    flags = _FLAG_KEY if packet.is_key else 0
    return HEADER.pack(_KIND_OF[packet.medium], flags, 0, packet.time_us) + packet.payload


def decode_packet(message: bytes) -> Packet:
    """Read a binary message.

    Raises:
        WireError: It is cut short, empty, too large, or its header is not version 1.
    """
    if len(message) <= HEADER.size:
        raise WireError(f"got a binary message of {len(message)} bytes, expected {HEADER.size} of header and a payload")
    kind, flags, reserved, time_us = HEADER.unpack_from(message)
    medium = _KINDS.get(kind)
    if medium is None:
        raise WireError(f"got kind {kind}, expected 1 (audio) or 2 (video)")
    if flags & ~_FLAG_KEY or reserved:
        raise WireError(f"got flags {flags:#04x} and reserved {reserved:#06x}, expected flags 0 or 1 and reserved 0")
    n_payload = len(message) - HEADER.size
    if n_payload > MAX_PAYLOAD_BYTES[medium]:
        raise WireError(
            f"got {n_payload} bytes of {medium}, expected at most {MAX_PAYLOAD_BYTES[medium]}", CloseCode.TOO_LARGE
        )
    return Packet(medium=medium, time_us=time_us, payload=message[HEADER.size :], is_key=bool(flags & _FLAG_KEY))


def encode_control(control: Control) -> str:
    """Return the text message of a sender's control message."""
    if isinstance(control, Bye):
        return _dump({"type": "bye"})
    if isinstance(control, Gap):
        return _dump({"type": "gap", "medium": control.medium, "start_s": control.start_s, "end_s": control.end_s})
    message: dict[str, Any] = {"type": "hello", "version": VERSION}
    if control.name:
        message["name"] = control.name
    if control.audio:
        audio = control.audio
        message["audio"] = {"codec": audio.codec, "rate_hz": audio.rate_hz, "channels": audio.channels}
    if control.video:
        video = {"codec": control.video.codec, "width": control.video.width, "height": control.video.height}
        message["video"] = {name: value for name, value in video.items() if value is not None}
    return _dump(message)


def decode_control(text: str) -> Control:
    """Read a sender's text message.

    Raises:
        WireError: It is no JSON object of a known type with its known fields in their ranges.
    """
    return _decode(text, _CONTROLS)


def encode_reply(reply: Reply) -> str:
    """Return the text message of our answer."""
    if isinstance(reply, Refusal):
        return _dump({"type": "error", "error": reply.error})
    return _dump({"type": "welcome", "session": reply.session, "max_message_bytes": reply.max_message_bytes})


def decode_reply(text: str) -> Reply:
    """Read the service's text message.

    Raises:
        WireError: It is neither a welcome nor an error.
    """
    return _decode(text, _REPLIES)


def close_reason(text: str) -> str:
    """Cut a text to what fits into a close frame, at a whole character."""
    return text.encode(errors="replace")[:_MAX_REASON_BYTES].decode(errors="ignore")


def _read_hello(fields: Fields) -> Hello:
    fields.integer("version", VERSION, VERSION)
    name = fields.optional_text("name", MAX_NAME_CHARS)
    audio, video = _read_audio(fields), _read_video(fields)
    if audio is None and video is None:
        raise ValueError("hello: got neither audio nor video, expected at least one")
    return Hello(name=name, audio=audio, video=video)


def _read_audio(fields: Fields) -> AudioFormat | None:
    inner = fields.inner("audio")
    if inner is None:
        return None
    audio = AudioFormat(
        codec=inner.choice("codec", AudioCodec),
        rate_hz=inner.integer("rate_hz", MIN_RATE_HZ, MAX_RATE_HZ),
        channels=inner.integer("channels", 1, 2),
    )
    inner.end()
    return audio


def _read_video(fields: Fields) -> VideoFormat | None:
    inner = fields.inner("video")
    if inner is None:
        return None
    video = VideoFormat(
        codec=inner.choice("codec", VideoCodec),
        width=inner.optional_integer("width", 1, MAX_SIDE_PX),
        height=inner.optional_integer("height", 1, MAX_SIDE_PX),
    )
    inner.end()
    return video


def _read_gap(fields: Fields) -> Gap:
    medium = fields.choice("medium", Medium)
    gap = Gap(medium=medium, start_s=fields.number("start_s", 0), end_s=fields.number("end_s", 0))
    if not 0 < gap.end_s - gap.start_s <= MAX_GAP_S:
        raise ValueError(f"gap: got {gap.start_s:g} to {gap.end_s:g} s, expected 0 to {MAX_GAP_S:g} s of length")
    return gap


def _read_welcome(fields: Fields) -> Welcome:
    return Welcome(session=fields.text("session", 256), max_message_bytes=fields.integer("max_message_bytes", 1, 2**31))


def _read_refusal(fields: Fields) -> Refusal:
    return Refusal(error=fields.text("error", MAX_TEXT_BYTES))


_CONTROLS: Mapping[str, Callable[[Fields], Control]] = {"hello": _read_hello, "gap": _read_gap, "bye": lambda _: Bye()}
_REPLIES: Mapping[str, Callable[[Fields], Reply]] = {"welcome": _read_welcome, "error": _read_refusal}


def _decode(text: str, readers: Mapping[str, Callable[[Fields], T]]) -> T:
    n_bytes = len(text.encode(errors="replace"))
    if n_bytes > MAX_TEXT_BYTES:
        raise WireError(f"got {n_bytes} bytes of text, expected at most {MAX_TEXT_BYTES}", CloseCode.TOO_LARGE)
    try:
        message = parse_object(text)
        kind = message.pop("type", None)
        if not isinstance(kind, str) or kind not in readers:
            raise ValueError(f"got the type {shorten(kind)}, expected {' or '.join(readers)}")
        fields = Fields(kind, message)
        read = readers[kind](fields)
        fields.end()
    except ValueError as exc:
        raise WireError(str(exc)) from exc
    return read


def _dump(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), allow_nan=False)
