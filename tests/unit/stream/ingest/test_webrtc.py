"""Whole calls between two aiortc peers on this machine: what the session gets, and how each call ends."""

import asyncio
import fractions
import gc
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from models.traits import Trait, Traits
from models.window import SAMPLE_RATE_HZ
from stream.errors import ServiceFullError, SignallingError
from stream.events import AudioFrame, Gap, Media, Medium, VideoFrame
from stream.ingest import guard, obedience, pipeline_tap
from stream.ingest.ice import MAX_CANDIDATES
from stream.ingest.offer import START_BITRATE
from stream.ingest.webrtc import Answer, WebRtcIngest
from stream.settings import Settings

TONE_HZ = 440
PICTURES_HZ = 15


class Tone(MediaStreamTrack):
    """A 440 Hz tone, 48 kHz, 20 ms a frame."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._n = 0
        self._start_s = 0.0

    async def recv(self) -> av.AudioFrame:
        self._start_s = self._start_s or time.monotonic()
        await asyncio.sleep(max(0.0, self._start_s + self._n / 48_000 - time.monotonic()))
        time_s = (self._n + np.arange(960)) / 48_000
        samples = (8_000 * np.sin(2 * np.pi * TONE_HZ * time_s)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._n, fractions.Fraction(1, 48_000)
        self._n += 960
        return frame


class Red(MediaStreamTrack):
    """Red pictures, 15 a second."""

    kind = "video"

    def __init__(self, width: int = 320, height: int = 240) -> None:
        super().__init__()
        self._n = 0
        self._start_s = 0.0
        self._picture = np.zeros((height, width, 3), np.uint8)
        self._picture[..., 0] = 200

    async def recv(self) -> av.VideoFrame:
        self._start_s = self._start_s or time.monotonic()
        await asyncio.sleep(max(0.0, self._start_s + self._n / PICTURES_HZ - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(self._picture, format="rgb24")
        frame.pts, frame.time_base = self._n * (90_000 // PICTURES_HZ), fractions.Fraction(1, 90_000)
        self._n += 1
        return frame


@dataclass
class Sink:
    """A session that only remembers."""

    id: str
    media: list[Media] = field(default_factory=list)
    dropped: dict[Medium, float] = field(default_factory=lambda: dict.fromkeys(Medium, 0.0))
    causes: list[str] = field(default_factory=list)
    callbacks: list[Callable[[], None]] = field(default_factory=list)
    traits: list[Traits] = field(default_factory=list)

    def push(self, media: Media) -> None:
        self.media.append(media)

    def note_dropped(self, medium: Medium, amount: float) -> None:
        self.dropped[medium] += amount

    def note_pipeline(self, traits: Traits) -> None:
        self.traits.append(traits)

    def close(self, cause: str) -> None:
        self.causes.append(cause)
        if len(self.causes) == 1:
            for callback in self.callbacks:
                callback()

    def on_close(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    def pictures(self) -> list[VideoFrame]:
        return [media for media in self.media if isinstance(media, VideoFrame)]

    def sound(self) -> list[AudioFrame]:
        return [media for media in self.media if isinstance(media, AudioFrame)]


class Desk:
    def __init__(self, n_max: int) -> None:
        self.n_max = n_max
        self.sinks: list[Sink] = []
        self.opened: list[tuple[str, str]] = []

    def open(self, *, source: str, name: str) -> Sink:
        if len(self.sinks) >= self.n_max:
            raise ServiceFullError(f"{self.n_max} of {self.n_max} calls are running")
        self.opened.append((source, name))
        self.sinks.append(Sink(id=f"call{len(self.sinks)}"))
        return self.sinks[-1]


class Caller:
    """A real WebRTC sender."""

    def __init__(self, *tracks: MediaStreamTrack) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for track in tracks:
            self.pc.addTransceiver(track, direction="sendonly")

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def call(self, ingest: WebRtcIngest, name: str = "") -> Answer:
        answer = await ingest.answer(await self.offer(), name)
        await self.pc.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        return answer


@dataclass
class Place:
    """What the tests of this file make; all of it is closed after each."""

    ingests: list[WebRtcIngest] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)

    def ingest(self, n_max: int = 8, **settings: Any) -> tuple[WebRtcIngest, Desk]:
        desk = Desk(n_max)
        self.ingests.append(WebRtcIngest(desk, Settings(**settings)))
        return self.ingests[-1], desk

    def caller(self, *tracks: MediaStreamTrack) -> Caller:
        self.callers.append(Caller(*tracks))
        return self.callers[-1]


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """Also fails a test that leaves an error for the event loop to find."""
    noise: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
    made = Place()
    yield made
    for caller in made.callers:
        await guard.close_quietly(caller.pc)
    for ingest in made.ingests:
        await ingest.close()
        assert ingest.n_calls == 0
    gc.collect()
    await asyncio.sleep(0)
    assert noise == []


async def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def vanish(caller: Caller) -> None:
    """Leave without a word: no DTLS close, no RTCP BYE."""
    for transport in getattr(caller.pc, guard.ICE_TRANSPORTS):
        await transport.stop()


async def test_a_call_brings_sampled_pictures_and_whole_sound(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    ingest, desk = place.ingest()
    begun_s = time.monotonic()
    answer = await place.caller(Tone(), Red()).call(ingest, "Aigerim")
    assert desk.opened == [("whip", "Aigerim")]
    (sink,) = desk.sinks
    assert answer.id == sink.id
    await until(sink.pictures)
    first_s = time.monotonic() - begun_s
    with capsys.disabled():
        print(f" first picture {first_s:.2f} s after the offer", end="")
    assert first_s < 1
    await asyncio.sleep(3)
    stats = ingest.stats[0]
    await ingest.delete(answer.id)

    times_s = [picture.time_s for picture in sink.pictures()]
    slots = [int(time_s * 5 + 1e-6) for time_s in times_s]
    assert len(slots) == len(set(slots)), "one picture a slot"
    assert 14 <= len(slots) <= 17
    assert sink.pictures()[-1].pixels.shape == (240, 320, 3)
    red, green, blue = sink.pictures()[-1].pixels.reshape(-1, 3).mean(axis=0)
    assert red > 150
    assert max(green, blue) < 60

    sound = sink.sound()
    samples = np.concatenate([frame.samples for frame in sound])
    assert samples.dtype == np.float32
    assert sound[-1].start_s + len(sound[-1].samples) / SAMPLE_RATE_HZ - sound[0].start_s == pytest.approx(
        len(samples) / SAMPLE_RATE_HZ
    ), "without a loss the samples are as many as the times say"
    assert len(samples) / SAMPLE_RATE_HZ == pytest.approx(3, abs=0.4)
    spectrum = np.abs(np.fft.rfft(samples[8_000:24_000]))
    assert np.argmax(spectrum) == TONE_HZ, "1 s of sound: a bin is 1 Hz"
    assert sink.dropped == {Medium.AUDIO: 0, Medium.VIDEO: 0}
    assert stats.session == answer.id
    assert stats.n_pictures > 30
    assert stats.n_sound_frames > 100
    assert abs(times_s[0] - sound[0].start_s) < 0.5


async def test_lost_packets_leave_gaps_of_their_length_only(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest, desk = place.ingest()
    caller = place.caller(Tone())
    await caller.call(ingest)
    (sink,) = desk.sinks
    await until(sink.sound)
    transport = caller.pc.getSenders()[0].transport
    send, n_packets = transport._send_rtp, 0

    async def lossy(data: bytes) -> None:
        nonlocal n_packets
        is_sound = not 200 <= data[1] <= 204  # RTCP
        n_packets += is_sound
        if not is_sound or n_packets % 20 != 10:
            await send(data)

    monkeypatch.setattr(transport, "_send_rtp", lossy)
    n_before = len(sink.media)
    await until(lambda: n_packets > 120, 15)
    await asyncio.sleep(0.3)
    gaps = [media for media in sink.media[n_before:] if isinstance(media, Gap)]
    assert [gap.end_s - gap.start_s for gap in gaps] == pytest.approx([0.02] * len(gaps), abs=0.002)
    assert 4 <= len(gaps) <= 7, "5 % of 120 packets"
    assert sink.dropped[Medium.AUDIO] == pytest.approx(0.02 * len(gaps), abs=0.01)


async def test_pictures_beyond_full_hd_are_counted_not_converted(place: Place) -> None:
    ingest, desk = place.ingest()
    await place.caller(Red(2048, 64)).call(ingest)
    (sink,) = desk.sinks
    await until(lambda: sink.dropped[Medium.VIDEO] >= 2)
    assert sink.pictures() == []


async def test_the_answer_asks_for_a_bit_rate_that_can_be_judged(place: Place) -> None:
    ingest, _ = place.ingest()
    answer = await place.caller(Red()).call(ingest)
    assert START_BITRATE in answer.sdp


async def test_a_caller_that_says_goodbye_ends_its_call(place: Place) -> None:
    ingest, desk = place.ingest()
    caller = place.caller(Tone())
    await caller.call(ingest)
    (sink,) = desk.sinks
    await until(sink.sound)
    await caller.pc.close()
    await until(lambda: sink.causes, 3)
    assert sink.causes == ["peer vanished"]
    assert ingest.n_calls == 0


async def test_a_caller_that_vanishes_is_noticed_by_the_media_time_out(place: Place) -> None:
    ingest, desk = place.ingest(media_timeout_s=1)
    caller = place.caller(Tone())
    await caller.call(ingest)
    (sink,) = desk.sinks
    await until(sink.sound)
    await vanish(caller)
    begun_s = time.monotonic()
    await until(lambda: sink.causes, 3)
    assert sink.causes == ["no media"]
    assert time.monotonic() - begun_s < 2


async def test_a_caller_that_never_connects_is_given_up(place: Place) -> None:
    ingest, desk = place.ingest(connect_timeout_s=0.5)
    await ingest.answer(await place.caller(Tone()).offer(), "")
    (sink,) = desk.sinks
    await until(lambda: sink.causes, 3)
    assert sink.causes == ["not connected"]


async def test_the_longest_call_is_ended(place: Place) -> None:
    ingest, desk = place.ingest(max_call_s=1)
    await place.caller(Tone()).call(ingest)
    (sink,) = desk.sinks
    await until(lambda: sink.causes, 4)
    assert sink.causes == ["longest call reached"]


async def test_a_session_that_ends_takes_its_connection_with_it(place: Place) -> None:
    ingest, desk = place.ingest()
    caller = place.caller(Tone())
    await caller.call(ingest)
    (sink,) = desk.sinks
    await until(sink.sound)
    sink.close("by the viewer")
    assert ingest.n_calls == 0
    await until(lambda: caller.pc.connectionState == "closed", 5)
    assert sink.causes[0] == "by the viewer"


async def test_no_session_is_opened_for_a_refused_offer(place: Place) -> None:
    ingest, desk = place.ingest()
    with pytest.raises(SignallingError):
        await ingest.answer("v=0", "")
    assert desk.opened == []


async def test_a_full_desk_leaves_no_connection_behind(place: Place) -> None:
    ingest, desk = place.ingest(n_max=0)
    with pytest.raises(ServiceFullError, match="0 of 0 calls are running"):
        await ingest.answer(await place.caller(Tone()).offer(), "")
    await until(lambda: not ingest._open)
    assert desk.sinks == []


async def test_no_more_connections_are_answered_at_a_time_than_calls_may_run(place: Place) -> None:
    ingest, desk = place.ingest(max_sessions=2)
    offers = [await place.caller(Tone()).offer() for _ in range(5)]
    results = await asyncio.gather(*(ingest.answer(offer, "") for offer in offers), return_exceptions=True)
    assert sum(isinstance(result, Answer) for result in results) == 2
    assert sum(isinstance(result, ServiceFullError) for result in results) == 3
    assert len(desk.sinks) == 2


async def test_an_http_client_that_gives_up_leaves_no_connection_behind(place: Place) -> None:
    ingest, desk = place.ingest()
    answering = asyncio.ensure_future(ingest.answer(await place.caller(Tone()).offer(), ""))
    await asyncio.sleep(0)
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)
    await until(lambda: not ingest._open)
    assert desk.sinks == []


async def test_a_closed_ingest_ends_its_calls_and_takes_no_more(place: Place) -> None:
    ingest, desk = place.ingest()
    await place.caller(Tone()).call(ingest)
    await ingest.close()
    assert desk.sinks[0].causes == ["service stopped"]
    with pytest.raises(ServiceFullError):
        await ingest.answer(await place.caller(Tone()).offer(), "")


async def test_trickled_candidates_are_tried_up_to_the_limit(place: Place) -> None:
    ingest, _ = place.ingest()
    offer = await place.caller(Tone()).offer()
    answer = await ingest.answer(offer, "")
    ufrag = next(line for line in offer.splitlines() if line.startswith("a=ice-ufrag"))
    lines = [f"a=candidate:{i} 1 udp 1 192.168.7.31 {20_000 + i} typ host" for i in range(50)]
    await ingest.patch(answer.id, answer.etag, "\r\n".join([ufrag, "m=audio 9 RTP/AVP 0", "a=mid:0", *lines]))
    call, _ = ingest._calls[answer.id]
    assert call._pc.remoteDescription.sdp.count("a=candidate") == MAX_CANDIDATES
    await ingest.patch(answer.id, "*", "a=end-of-candidates")


@pytest.mark.parametrize(
    ("id", "etag", "fragment", "status"),
    [
        ("nobody", "*", "a=end-of-candidates", 404),
        ("call0", '"other"', "a=end-of-candidates", 412),
        ("call0", "*", "a=ice-ufrag:Anew\r\na=ice-pwd:4uYx0sGm1tq7Vd2hB9nLcE5w", 422),
        ("call0", "*", "hello", 400),
    ],
)
async def test_other_fragments_are_refused(place: Place, id: str, etag: str, fragment: str, status: int) -> None:
    ingest, _ = place.ingest()
    await ingest.answer(await place.caller(Tone()).offer(), "")
    with pytest.raises(SignallingError) as refused:
        await ingest.patch(id, etag, fragment)
    assert refused.value.status == status


async def test_a_call_is_deleted_once(place: Place) -> None:
    ingest, desk = place.ingest()
    answer = await place.caller(Tone()).call(ingest)
    await ingest.delete(answer.id)
    assert desk.sinks[0].causes == ["hung up"]
    with pytest.raises(SignallingError, match="no such call"):
        await ingest.delete(answer.id)


class Encoded(MediaStreamTrack):
    """Packets that were encoded beforehand, sent one by one as a recording is: a key picture comes once."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._live, self._encoder, self._n = Red(), av.CodecContext.create("libvpx", "w"), 0
        self._encoder.width, self._encoder.height, self._encoder.pix_fmt = 320, 240, "yuv420p"
        self._encoder.time_base, self._encoder.gop_size = fractions.Fraction(1, 90_000), 3000
        self._encoder.options = {"deadline": "realtime", "lag-in-frames": "0"}

    async def recv(self) -> av.Packet:
        frame = await self._live.recv()
        return self._encoder.encode(frame.reformat(format="yuv420p"))[0]


@pytest.mark.parametrize(("track", "is_obedient"), [(Red, True), (Encoded, False)])
async def test_a_live_encoder_gives_a_key_picture_when_asked_and_a_recording_does_not(
    place: Place, monkeypatch: pytest.MonkeyPatch, track: type[Red | Encoded], is_obedient: bool
) -> None:
    monkeypatch.setattr(obedience, "KEY_ASKED_S", (2.0,))
    monkeypatch.setattr(obedience, "KEY_WAIT_S", 1.5)
    monkeypatch.setattr(pipeline_tap, "TOLD_EVERY_S", 1.0)
    ingest, desk = place.ingest()
    await place.caller(track()).call(ingest)
    await until(lambda: any(Trait.KEY_PICTURE in traits for traits in desk.sinks[0].traits))
    latency_s = desk.sinks[0].traits[-1][Trait.KEY_PICTURE]
    assert (latency_s < 1.0) is is_obedient
