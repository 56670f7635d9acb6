"""The server's side of our WebSocket ingest: messages in, frames of one call out. `PROTOCOL.md` says what is allowed.

The sender may be the remote party: it hears of its own mistakes and never of a verdict.
"""

import asyncio
import contextlib
from collections.abc import Iterable

from starlette.websockets import WebSocket, WebSocketDisconnect

from stream.errors import MediaError, ServiceFullError
from stream.events import Gap, Media, Medium
from stream.ingest.decode import PictureDecoder, SoundDecoder
from stream.ingest.resample import SoundTrack
from stream.ingest.sink import CallDesk, CallSink
from stream.ingest.timeline import Timeline
from stream.ingest.wire import (
    MAX_MESSAGE_BYTES,
    Bye,
    CloseCode,
    Hello,
    Packet,
    Refusal,
    Welcome,
    WireError,
    close_reason,
    decode_control,
    decode_packet,
    encode_reply,
)
from stream.settings import Settings

SOURCE = "websocket"
# Below one packet of 10 ms, so that a single lost one is seen.
TOLERANCE_S = 0.008
MAX_BROKEN_IN_A_ROW = 50


async def serve_call(socket: WebSocket, desk: CallDesk, settings: Settings, authorised: bool) -> None:
    """Carry one call from its handshake to its end.

    Args:
        socket: Not yet accepted; closed when this returns.
        desk: Opens the call.
        settings: Its time limits are used.
        authorised: Whether the handshake carried what it must. If not, the socket is closed with 4401.
    """
    await socket.accept()
    try:
        if not authorised:
            raise WireError("got no valid token, expected 'Authorization: Bearer TOKEN'", CloseCode.UNAUTHORISED)
        hello = await _receive_hello(socket, settings.connect_timeout_s)
        sink = desk.open(source=SOURCE, name=hello.name)
    except WebSocketDisconnect:
        return
    except WireError as exc:
        await _refuse(socket, exc.code, str(exc))
    except ServiceFullError as exc:
        await _refuse(socket, CloseCode.FULL, str(exc))
    else:
        await _carry(socket, sink, hello, settings)


async def _carry(socket: WebSocket, sink: CallSink, hello: Hello, settings: Settings) -> None:
    receiving = asyncio.create_task(_receive_media(socket, sink, hello, settings), name=f"{sink.id}-ingest")

    def stop() -> None:
        receiving.cancel()

    sink.on_close(stop)
    cause = "internal error"
    try:
        await receiving
        cause = "bye"
    except asyncio.CancelledError:
        cause = "ended by the service"
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
    except WebSocketDisconnect:
        cause = "the sender went away"
        return
    except WireError as exc:
        cause = str(exc)
        await _refuse(socket, exc.code, cause)
        return
    finally:
        receiving.cancel()
        sink.close(cause)
    await _close(socket, CloseCode.BYE, cause)


async def _receive_media(socket: WebSocket, sink: CallSink, hello: Hello, settings: Settings) -> None:
    """Take messages until the bye."""
    await socket.send_text(encode_reply(Welcome(session=sink.id)))
    clock = asyncio.get_running_loop().time
    call = IngestCall(sink, hello, clock())
    ends_at = clock() + settings.max_call_s
    quiet_at = clock() + settings.media_timeout_s
    while clock() < ends_at:
        message = await _receive(socket, quiet_at, "media in time")
        n_pushed = call.n_pushed
        if isinstance(message, str):
            control = decode_control(message)
            if isinstance(control, Bye):
                call.finish()
                return
            call.take_control(control, clock())
        elif (packet := decode_packet(message)).medium is Medium.VIDEO:
            await call.take_video(packet, clock())
        else:
            call.take_audio(packet, clock())
        if call.n_pushed > n_pushed:
            quiet_at = clock() + settings.media_timeout_s
    raise WireError(f"got a call longer than {settings.max_call_s:g} s, expected a shorter one", CloseCode.TIMEOUT)


class IngestCall:
    """Decodes what one sender sends, holds it to the rules, and pushes it into its call.

    Args:
        sink: The call.
        hello: What the sender announced.
        now_s: Monotonic time [s]; the same clock as in the calls after it.
    """

    def __init__(self, sink: CallSink, hello: Hello, now_s: float) -> None:
        self.n_pushed = 0
        self._sink = sink
        self._timeline = Timeline(now_s)
        self._track = SoundTrack(TOLERANCE_S)
        self._sound = SoundDecoder(hello.audio) if hello.audio else None
        self._pictures = PictureDecoder(hello.video.codec) if hello.video else None
        self._n_broken = dict.fromkeys(Medium, 0)

    def take_control(self, control: Hello | Gap, now_s: float) -> None:
        """Take a gap.

        Raises:
            WireError: It is a second hello, or the gap breaks the rules of time.
        """
        self._timeline.count_message(now_s)
        if isinstance(control, Hello):
            raise WireError("got a second hello, expected media, gap or bye", CloseCode.OUT_OF_ORDER)
        gap = self._timeline.place_gap(control, now_s)
        if gap is None:
            return
        if gap.medium is Medium.AUDIO:
            self._push(Medium.AUDIO, self._track.lose(gap.start_s, gap.end_s))
        else:
            self._sink.push(gap)

    def take_audio(self, packet: Packet, now_s: float) -> None:
        """Take sound: 0.1 ms of work for a packet of 20 ms.

        Raises:
            WireError: It was not announced, breaks the rules of time, or too much in a row is broken.
        """
        self._timeline.count_message(now_s)
        if self._sound is None:
            raise WireError("got audio, expected none: the hello announced none", CloseCode.OUT_OF_ORDER)
        start_s = self._timeline.place(Medium.AUDIO, packet.time_us, now_s)
        try:
            frames = self._sound.decode(packet)
        except MediaError as exc:
            self._count_broken(Medium.AUDIO, exc)
            return
        for frame in frames:
            length_s = frame.samples / frame.sample_rate
            self._timeline.count_sound(length_s, now_s)
            self._push(Medium.AUDIO, self._track.take(frame, start_s))
            start_s += length_s

    async def take_video(self, packet: Packet, now_s: float) -> None:
        """Take a picture; it is decoded in a worker thread, and one call has one in work at a time.

        Raises:
            WireError: It was not announced, breaks the rules of time or size, or too much in a row is broken.
        """
        self._timeline.count_message(now_s)
        if self._pictures is None:
            raise WireError("got video, expected none: the hello announced none", CloseCode.OUT_OF_ORDER)
        time_s = self._timeline.place(Medium.VIDEO, packet.time_us, now_s)
        try:
            frames = await asyncio.to_thread(self._pictures.decode, packet, time_s)
        except MediaError as exc:
            self._sink.note_dropped(Medium.VIDEO, 1)
            self._count_broken(Medium.VIDEO, exc)
            return
        self._push(Medium.VIDEO, frames)

    def finish(self) -> None:
        """Push the last samples."""
        self._push(Medium.AUDIO, self._track.flush())

    def _push(self, medium: Medium, media: Iterable[Media]) -> None:
        for item in media:
            self._sink.push(item)
            if isinstance(item, Gap):
                self._sink.note_dropped(medium, item.end_s - item.start_s)
            else:
                self.n_pushed += 1
                self._n_broken[medium] = 0

    def _count_broken(self, medium: Medium, broken: MediaError) -> None:
        self._n_broken[medium] += 1
        if self._n_broken[medium] >= MAX_BROKEN_IN_A_ROW:
            raise WireError(f"{broken}, the {MAX_BROKEN_IN_A_ROW}th in a row") from broken


async def _receive_hello(socket: WebSocket, timeout_s: float) -> Hello:
    message = await _receive(socket, asyncio.get_running_loop().time() + timeout_s, "a hello in time")
    if not isinstance(message, str):
        raise WireError("got a binary message, expected a hello first")
    hello = decode_control(message)
    if not isinstance(hello, Hello):
        raise WireError(f"got {message[:40]!r}, expected a hello first")
    return hello


async def _receive(socket: WebSocket, deadline: float, expected: str) -> str | bytes:
    try:
        async with asyncio.timeout_at(deadline):
            event = await socket.receive()
    except TimeoutError as exc:
        raise WireError(f"got nothing, expected {expected}", CloseCode.TIMEOUT) from exc
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code", 1006), event.get("reason"))
    message: str | bytes = event["text"] if event.get("text") is not None else event["bytes"]
    if len(message) > MAX_MESSAGE_BYTES:
        raise WireError(f"got {len(message)} bytes, expected at most {MAX_MESSAGE_BYTES}", CloseCode.TOO_LARGE)
    return message


async def _refuse(socket: WebSocket, code: CloseCode, text: str) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(encode_reply(Refusal(error=text)))
    await _close(socket, code, text)


async def _close(socket: WebSocket, code: CloseCode, text: str) -> None:
    # Starlette says both where the sender left first.
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.close(code, close_reason(text))
