"""The WebSocket ingest over a real socket: a real uvicorn server, our own client or a bare one, a recording desk."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from models.traits import Traits
from models.window import SAMPLE_RATE_HZ
from stream.errors import CallError, ServiceFullError
from stream.events import AudioFrame, Gap, Media, Medium, VideoFrame
from stream.ingest.websocket import serve_call
from stream.ingest.wire import AudioCodec, Packet, VideoCodec, encode_packet
from stream.send import Sent, send_file
from stream.settings import Settings

Record = Callable[..., Path]
TOKEN = "correct horse"
HELLO = {
    "type": "hello",
    "version": 1,
    "audio": {"codec": "pcm_s16le", "rate_hz": 16000, "channels": 1},
    "video": {"codec": "jpeg"},
}


@dataclass
class RecordingSink:
    """Keeps all that a call brings."""

    id: str
    media: list[Media] = field(default_factory=list)
    dropped: list[tuple[Medium, float]] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    callbacks: list[Callable[[], None]] = field(default_factory=list)

    def push(self, media: Media) -> None:
        self.media.append(media)

    def note_dropped(self, medium: Medium, amount: float) -> None:
        self.dropped.append((medium, amount))

    def note_pipeline(self, traits: Traits) -> None: ...

    def close(self, cause: str) -> None:
        self.causes.append(cause)
        if len(self.causes) == 1:
            for callback in self.callbacks:
                callback()

    def on_close(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    @property
    def pictures(self) -> list[VideoFrame]:
        return [item for item in self.media if isinstance(item, VideoFrame)]

    @property
    def gaps(self) -> list[Gap]:
        return [item for item in self.media if isinstance(item, Gap)]

    def sound(self) -> np.ndarray:
        """Join the sound; fails where it overlaps or has a hole that no gap tells of."""
        samples, end = [np.zeros(0, np.float32)], 0
        for item in self.media:
            if isinstance(item, AudioFrame):
                assert round(item.start_s * SAMPLE_RATE_HZ) == end
                samples.append(item.samples)
                end += len(item.samples)
            elif isinstance(item, Gap) and item.medium is Medium.AUDIO:
                end = round(item.end_s * SAMPLE_RATE_HZ)
        return np.concatenate(samples)


class Service:
    """A server with our route alone, in a thread; itself the `CallDesk` of its calls."""

    def __init__(self) -> None:
        self.calls: list[RecordingSink] = []
        self.names: list[tuple[str, str]] = []
        self.max_calls = 4
        self.settings = Settings(connect_timeout_s=0.5, media_timeout_s=0.6)
        app = FastAPI()

        @app.websocket("/v1/ingest")
        async def ingest(socket: WebSocket) -> None:
            is_ours = socket.headers.get("authorization") == f"Bearer {TOKEN}"
            await serve_call(socket, self, self.settings, is_ours)

        config = uvicorn.Config(app, port=0, log_level="warning", ws="websockets-sansio", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def open(self, *, source: str, name: str) -> RecordingSink:
        if len(self.calls) >= self.max_calls:
            raise ServiceFullError(f"{len(self.calls)} of {self.max_calls} calls are running; try again later")
        self.loop = asyncio.get_running_loop()
        self.names.append((source, name))
        self.calls.append(RecordingSink(id=f"call-{len(self.calls)}"))
        return self.calls[-1]

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    @property
    def url(self) -> str:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"ws://127.0.0.1:{port}/v1/ingest"

    def connect(self, token: str = TOKEN) -> connect:
        return connect(self.url, additional_headers={"Authorization": f"Bearer {token}"})

    async def send(self, path: Path, **options: object) -> Sent:
        return await send_file(path, self.url, token=TOKEN, **options)


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    running.start()
    yield running
    running.stop()


async def greeted(socket: ClientConnection, hello: dict[str, object] | None = None) -> dict[str, object]:
    await socket.send(json.dumps(hello or HELLO))
    return json.loads(await socket.recv())


async def refusal(socket: ClientConnection) -> tuple[int | None, str]:
    """Wait for the end; return close code and the error before it."""
    error = ""
    try:
        async with asyncio.timeout(10):
            while True:
                error = json.loads(await socket.recv()).get("error", "")
    except ConnectionClosed:
        return socket.close_code, error


def sound(time_s: float, n_samples: int = 320) -> bytes:
    return encode_packet(Packet(medium=Medium.AUDIO, time_us=round(time_s * 1e6), payload=bytes(2 * n_samples)))


def picture(time_s: float, payload: bytes) -> bytes:
    return encode_packet(Packet(medium=Medium.VIDEO, time_us=round(time_s * 1e6), payload=payload, is_key=True))


def jpeg(record: Record, size: tuple[int, int] = (320, 240)) -> bytes:
    return record("one.jpg", seconds=1, fps=1, video="mjpeg", size=size, format="image2").read_bytes()


@pytest.mark.parametrize(
    ("video_codec", "audio_codec", "n_pictures"),
    [
        (VideoCodec.JPEG, AudioCodec.PCM_S16LE, 15),
        (VideoCodec.VP8, AudioCodec.OPUS, 90),
        (VideoCodec.H264, AudioCodec.OPUS, 90),
    ],
)
async def test_a_file_arrives_with_each_codec_at_its_positions(
    service: Service, record: Record, video_codec: VideoCodec, audio_codec: AudioCodec, n_pictures: int
) -> None:
    path = record("clip.mkv", seconds=3, video="mjpeg", audio="pcm_s16le")
    sent = await service.send(path, video_codec=video_codec, audio_codec=audio_codec, speed=3.0, name="Anna")

    assert sent == Sent(pictures=n_pictures, audio_s=3.0)
    assert service.names == [("websocket", "Anna")]
    (call,) = service.calls
    assert [round(frame.time_s, 3) for frame in call.pictures] == [round(0.2 * i, 3) for i in range(15)]
    assert len(call.sound()) == 3 * SAMPLE_RATE_HZ
    assert call.gaps == []
    assert call.dropped == []
    assert call.causes == ["bye"]
    for frame in call.pictures:
        assert frame.pixels.shape == (240, 320, 3)
        left = round(frame.time_s * 30) * 4 % 280
        middle = frame.pixels[30:50, left + 10 : left + 30].mean(axis=(0, 1))
        assert middle == pytest.approx((200, 120, 60), abs=12)
    spectrum = np.abs(np.fft.rfft(call.sound()))
    assert np.argmax(spectrum) / 3 == pytest.approx(440, abs=1)


async def test_sound_of_another_rate_and_two_channels_is_mixed_and_resampled(service: Service) -> None:
    left_right = np.repeat(np.array([[0.5, -0.25]]), 960, axis=0)  # (S, 2)
    payload = np.round(left_right * 32767).astype("<i2").tobytes()
    hello = {**HELLO, "audio": {"codec": "pcm_s16le", "rate_hz": 48000, "channels": 2}}
    async with service.connect() as socket:
        await greeted(socket, hello)
        for i in range(50):
            await socket.send(encode_packet(Packet(medium=Medium.AUDIO, time_us=i * 20_000, payload=payload)))
        await socket.send('{"type":"bye"}')
        assert await refusal(socket) == (1000, "")
    heard = service.calls[0].sound()
    assert len(heard) == SAMPLE_RATE_HZ
    assert heard[100:-100] == pytest.approx(0.125, abs=0.002)


async def test_lost_sound_is_a_gap_whether_the_sender_tells_or_not(service: Service) -> None:
    async with service.connect() as socket:
        await greeted(socket)
        for i in (0, 1, 2, 4, 5, 10):
            if i == 10:
                await socket.send('{"type":"gap","medium":"audio","start_s":5.12,"end_s":5.2}')
            await socket.send(sound(5 + i * 0.02))
        await socket.send('{"type":"gap","medium":"video","start_s":5.0,"end_s":5.1}')
        await socket.send('{"type":"bye"}')
        await refusal(socket)
    call = service.calls[0]
    assert len(call.sound()) == 6 * 320
    assert [(gap.medium.value, round(gap.start_s, 3), round(gap.end_s, 3)) for gap in call.gaps] == [
        ("audio", 0.06, 0.08),
        ("audio", 0.12, 0.2),
        ("video", 0.0, 0.1),
    ]
    assert [(medium.value, round(amount, 3)) for medium, amount in call.dropped] == [("audio", 0.02), ("audio", 0.08)]


async def test_the_sender_hears_a_welcome_and_nothing_of_the_call(service: Service) -> None:
    async with service.connect() as socket:
        welcome = await greeted(socket)
        for i in range(20):
            await socket.send(sound(i * 0.02))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.3)
    assert welcome == {"type": "welcome", "session": "call-0", "max_message_bytes": 262_156}


async def test_broken_pictures_are_counted_and_good_ones_go_on(service: Service, record: Record) -> None:
    good = jpeg(record)
    async with service.connect() as socket:
        await greeted(socket)
        for i in range(10):
            await socket.send(picture(i * 0.2, good if i % 2 else good[:30]))
        await socket.send('{"type":"bye"}')
        assert await refusal(socket) == (1000, "")
    call = service.calls[0]
    assert [round(frame.time_s, 1) for frame in call.pictures] == [0.2, 0.6, 1.0, 1.4, 1.8]
    assert call.dropped == [(Medium.VIDEO, 1)] * 5


@pytest.mark.parametrize("first", ['{"type":"bye"}', b"\x01" + bytes(40), "hello", '{"type":"hello","version":3}'])
async def test_what_is_no_hello_closes_with_4400_before_a_call_is_opened(service: Service, first: str | bytes) -> None:
    async with service.connect() as socket:
        await socket.send(first)
        code, error = await refusal(socket)
    assert code == 4400
    assert ", expected " in error
    assert service.calls == []


async def test_a_wrong_token_closes_with_4401(service: Service, record: Record) -> None:
    async with service.connect(token="wrong") as socket:
        assert await refusal(socket) == (4401, "got no valid token, expected 'Authorization: Bearer TOKEN'")
    with pytest.raises(CallError, match="the service closed the call with 4401: got no valid token"):
        await send_file(record("a.wav", audio="pcm_s16le"), service.url, token="wrong")


async def test_silence_before_the_hello_or_after_it_closes_with_4408(service: Service) -> None:
    async with service.connect() as socket:
        assert await refusal(socket) == (4408, "got nothing, expected a hello in time")
    async with service.connect() as socket:
        await greeted(socket)
        await socket.send(sound(0))
        assert await refusal(socket) == (4408, "got nothing, expected media in time")
    assert service.calls[0].causes == ["got nothing, expected media in time"]


async def test_gaps_alone_are_no_media(service: Service) -> None:
    async with service.connect() as socket:
        await greeted(socket)
        await socket.send(sound(0))
        sending = asyncio.create_task(send_gaps(socket))
        assert await refusal(socket) == (4408, "got nothing, expected media in time")
        sending.cancel()


async def send_gaps(socket: ClientConnection) -> None:
    for i in range(1, 20):
        await asyncio.sleep(0.1)
        await socket.send(json.dumps({"type": "gap", "medium": "video", "start_s": i / 10, "end_s": i / 10 + 0.1}))


@pytest.mark.parametrize(
    ("hello", "message", "error"),
    [
        (HELLO, json.dumps(HELLO), "got a second hello, expected media, gap or bye"),
        (HELLO, sound(100), "audio: got a timestamp 100.0 s ahead, expected at most 1 s back or 60 s ahead"),
        (
            {key: value for key, value in HELLO.items() if key != "video"},
            picture(0, b"x"),
            "got video, expected none: the hello announced none",
        ),
    ],
)
async def test_what_comes_out_of_order_closes_with_4409(
    service: Service, hello: dict[str, object], message: str | bytes, error: str
) -> None:
    async with service.connect() as socket:
        await greeted(socket, hello)
        await socket.send(sound(0))
        await socket.send(message)
        assert await refusal(socket) == (4409, error)
    assert service.calls[0].causes == [error]


async def test_what_is_too_large_closes_with_4413(service: Service, record: Record) -> None:
    async with service.connect() as socket:
        await greeted(socket)
        await socket.send(picture(0, bytes(262_145)))
        assert await refusal(socket) == (4413, "got 262157 bytes, expected at most 262156")
    async with service.connect() as socket:
        await greeted(socket)
        await socket.send(picture(0, jpeg(record, (1922, 16))))
        assert await refusal(socket) == (4413, "got a picture of 1922x16, expected at most 1920 px on a side")


async def test_media_far_ahead_of_the_clock_closes_with_4429(service: Service, record: Record) -> None:
    async with service.connect() as socket:
        await greeted(socket)
        for i in range(110):
            await socket.send(sound(i * 0.1, n_samples=1600))
        code, error = await refusal(socket)
    assert code == 4429
    assert error.startswith("got media 10.")
    path = record("long.wav", seconds=30, audio="pcm_s16le", rate_hz=16_000)
    with pytest.raises(CallError, match="the service closed the call with 4429: got media 10"):
        await service.send(path, speed=100.0)


async def test_a_flood_of_tiny_messages_closes_with_4429(service: Service) -> None:
    service.settings = Settings(media_timeout_s=60)
    async with service.connect() as socket:
        await greeted(socket)
        with contextlib.suppress(ConnectionClosed):
            for _ in range(20_000):
                await socket.send(sound(0, n_samples=1))
        assert await refusal(socket) == (4429, "got more than 500 messages a second")


async def test_a_full_service_closes_with_4503(service: Service) -> None:
    service.max_calls = 0
    async with service.connect() as socket:
        await socket.send(json.dumps(HELLO))
        assert await refusal(socket) == (4503, "0 of 0 calls are running; try again later")


@pytest.mark.parametrize("medium", [Medium.AUDIO, Medium.VIDEO])
async def test_fifty_broken_packets_in_a_row_close_with_4400(service: Service, medium: Medium) -> None:
    async with service.connect() as socket:
        await greeted(socket)
        for i in range(50):
            await socket.send(encode_packet(Packet(medium=medium, time_us=i * 200_000, payload=b"\xff" * 33)))
        code, error = await refusal(socket)
    assert code == 4400
    assert error.endswith(", the 50th in a row")


async def test_garbage_for_each_codec_never_faults_the_server(service: Service) -> None:
    rng = np.random.default_rng(7)
    service.max_calls = 100
    for codec in VideoCodec:
        async with service.connect() as socket:
            audio = {"codec": "opus", "rate_hz": 48000, "channels": 2}
            await greeted(socket, {**HELLO, "audio": audio, "video": {"codec": codec}})
            for i in range(45):
                for medium in Medium:
                    payload = rng.bytes(int(rng.integers(1, 400)))
                    await socket.send(
                        encode_packet(Packet(medium=medium, time_us=i * 20_000, payload=payload, is_key=True))
                    )
            await socket.send('{"type":"bye"}')
            code, _ = await refusal(socket)
            assert code == 1000


async def test_the_call_s_end_closes_the_socket_and_no_other_call(service: Service) -> None:
    async with service.connect() as first, service.connect() as second:
        await greeted(first)
        await greeted(second)
        service.loop.call_soon_threadsafe(service.calls[0].close, "ended by the viewer")
        assert await refusal(first) == (1000, "")
        await second.send(sound(0))
        await second.send('{"type":"bye"}')
        assert await refusal(second) == (1000, "")
    assert service.calls[0].causes[0] == "ended by the viewer"
    assert service.calls[1].causes == ["bye"]


async def test_a_sender_that_goes_away_ends_its_call(service: Service) -> None:
    async with service.connect() as socket:
        await greeted(socket)
        await socket.send(sound(0))
        socket.transport.abort()
    deadline = time.monotonic() + 5
    while not service.calls[0].causes and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert service.calls[0].causes == ["the sender went away"]


async def test_a_service_that_is_not_there_is_named(record: Record) -> None:
    with pytest.raises(CallError, match=r"ws://127\.0\.0\.1:9/v1/ingest: cannot connect: "):
        await send_file(record("a.wav", audio="pcm_s16le"), "ws://127.0.0.1:9/v1/ingest")


async def test_a_loop_goes_on_until_it_is_cancelled(service: Service, record: Record) -> None:
    seen: list[float] = []
    path = record("short.wav", seconds=0.3, audio="pcm_s16le", rate_hz=16_000)
    sending = asyncio.create_task(service.send(path, loop=True, speed=4.0, on_progress=seen.append))
    while not seen or seen[-1] < 1.5:
        assert not sending.done()
        await asyncio.sleep(0.01)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert service.calls[0].gaps == []
