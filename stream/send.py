"""A client of our WebSocket ingest: streams a recorded file to a service as if it were a call."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from models.window import PICTURE_RATE_HZ, SAMPLE_RATE_HZ
from stream.encode import PictureEncoder, SoundEncoder
from stream.errors import CallError
from stream.events import Gap
from stream.ingest.file import Decoded, DecodedFile, probe
from stream.ingest.wire import (
    AudioCodec,
    Bye,
    CloseCode,
    Hello,
    Packet,
    Refusal,
    VideoCodec,
    VideoFormat,
    decode_reply,
    encode_control,
    encode_packet,
)

CLOSE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What went out."""

    pictures: int
    audio_s: float
    """Sound [s]."""


async def send_file(
    path: Path,
    url: str,
    *,
    token: str = "",
    name: str = "",
    video_codec: VideoCodec = VideoCodec.JPEG,
    audio_codec: AudioCodec = AudioCodec.PCM_S16LE,
    speed: float = 1.0,
    loop: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Sent:
    """Stream a file to a service, from hello to bye.

    Args:
        path: Any file that `stream.ingest.file` reads.
        url: `ws://` or `wss://` address of the ingest.
        token: Bearer token; empty: none is sent.
        name: Shown to the viewer; at most 80 characters.
        video_codec: How pictures are sent.
        audio_codec: How sound is sent.
        speed: Times real time; a service ends calls that are more than 10 s ahead.
        loop: Start again at the file's end, until cancelled.
        on_progress: Called with the seconds of media that were sent.

    Raises:
        CallError: The file cannot be read, or the service cannot be reached or closed the call; its text has the close
            code and reason.
    """
    recording = await asyncio.to_thread(_Recording, path, VideoCodec(video_codec), AudioCodec(audio_codec))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with connect(url, additional_headers=headers, compression=None) as socket:
            try:
                await _greet(socket, recording.hello(name))
                await _send_all(socket, recording.messages(loop), speed, on_progress or (lambda _: None))
                await asyncio.wait_for(socket.wait_closed(), CLOSE_TIMEOUT_S)
            except ConnectionClosed:
                await socket.wait_closed()
            if socket.close_code != CloseCode.BYE or not recording.is_sent:
                raise CallError(f"the service closed the call with {socket.close_code}: {socket.close_reason}")
    except TimeoutError as exc:
        raise CallError(f"{url}: no answer in time") from exc
    except (InvalidURI, InvalidHandshake, OSError) as exc:
        raise CallError(f"{url}: cannot connect: {exc}") from exc
    return recording.sent


class _Recording:
    """A file as the messages of a call."""

    def __init__(self, path: Path, video_codec: VideoCodec, audio_codec: AudioCodec) -> None:
        info = probe(path)
        self.is_sent = False
        self._path = path
        self._video = VideoFormat(codec=video_codec) if info.has_video else None
        self._sound = SoundEncoder(audio_codec) if info.has_audio else None
        self._pictures = PictureEncoder(video_codec) if info.has_video else None
        self._n_pictures = 0

    @property
    def sent(self) -> Sent:
        """What was asked for so far."""
        n_samples = self._sound.n_samples if self._sound else 0
        return Sent(pictures=self._n_pictures, audio_s=n_samples / SAMPLE_RATE_HZ)

    def hello(self, name: str) -> Hello:
        """Return the hello that fits the file."""
        return Hello(name=name, audio=self._sound.format if self._sound else None, video=self._video)

    def messages(self, loop: bool) -> Iterator[Packet | Gap]:
        """Yield what is to be sent, about in the order of its time."""
        offset_s = 0.0
        while True:
            end_s = offset_s
            for time_s, frame in self._frames(offset_s):
                length_s = frame.samples / frame.sample_rate if isinstance(frame, av.AudioFrame) else 0.0
                end_s = max(end_s, time_s + length_s)
                yield from self._encode(frame, time_s)
            # A photo has no length; in a loop it is shown as often as the service looks.
            offset_s = max(end_s, offset_s + 1 / PICTURE_RATE_HZ)
            if not loop:
                break
        if self._sound:
            yield from self._sound.flush()
        self.is_sent = True

    def _frames(self, offset_s: float) -> Iterator[tuple[float, Decoded]]:
        with DecodedFile(self._path) as file:
            for time_s, frame in file.frames():
                if time_s >= 0:
                    yield time_s + offset_s, frame

    def _encode(self, frame: Decoded, time_s: float) -> Iterator[Packet | Gap]:
        if isinstance(frame, av.AudioFrame):
            if self._sound:
                yield from self._sound.encode(frame, time_s)
        elif self._pictures:
            for packet in self._pictures.encode(frame, time_s):
                self._n_pictures += 1
                yield packet


async def _greet(socket: ClientConnection, hello: Hello) -> None:
    await socket.send(encode_control(hello))
    answer = await asyncio.wait_for(socket.recv(), CLOSE_TIMEOUT_S)
    if not isinstance(answer, str):
        raise CallError(f"got {len(answer)} bytes, expected a welcome")
    reply = decode_reply(answer)
    if isinstance(reply, Refusal):
        await asyncio.wait_for(socket.wait_closed(), CLOSE_TIMEOUT_S)
        raise CallError(f"the service closed the call with {socket.close_code}: {reply.error}")


async def _send_all(
    socket: ClientConnection,
    messages: Iterator[Packet | Gap],
    speed: float,
    on_progress: Callable[[float], None],
) -> None:
    """Send all messages when they are due, and the bye."""
    clock = asyncio.get_running_loop().time
    start = clock()
    while (message := await asyncio.to_thread(next, messages, None)) is not None:
        time_s = message.end_s if isinstance(message, Gap) else message.time_us / 1e6
        await asyncio.sleep(start + time_s / speed - clock())
        await socket.send(encode_control(message) if isinstance(message, Gap) else encode_packet(message))
        on_progress(time_s)
    await socket.send(encode_control(Bye()))
