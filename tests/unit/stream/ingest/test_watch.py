"""An agent sees and hears a caller live, and the caller hears the agent, between real aiortc peers."""

import asyncio
import fractions
import time
from collections.abc import AsyncIterator
from typing import Any

import av
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from test_webrtc import TONE_HZ, Place, Red, Tone, place, until, vanish  # noqa: F401  # a fixture

from stream.errors import ServiceFullError, SignallingError
from stream.events import Medium
from stream.ingest import guard
from stream.ingest.relay import MAX_SOUNDS, PICTURES_HZ, Relay, RelayedTrack, SpokenTrack
from stream.ingest.webrtc import MAX_WATCHERS, WebRtcIngest


class Peer:
    """A browser that receives, and sends what it is given."""

    def __init__(self, **sent: MediaStreamTrack | None) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.tracks: dict[str, MediaStreamTrack] = {}
        self.pc.on("track", lambda track: self.tracks.update({track.kind: track}))
        for kind in ("audio", "video"):
            track = sent.get(kind)
            self.pc.addTransceiver(track or kind, direction="sendrecv" if track else "recvonly")

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def take(self, sdp: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))


@pytest.fixture
async def peers() -> AsyncIterator[list[Peer]]:
    made: list[Peer] = []
    yield made
    for peer in made:
        await guard.close_quietly(peer.pc)


async def watch(ingest: WebRtcIngest, session: str, peers: list[Peer], **sent: Any) -> tuple[Peer, str]:
    peers.append(Peer(**sent))
    answer = await ingest.watch(session, await peers[-1].offer())
    await peers[-1].take(answer.sdp)
    return peers[-1], answer.id


async def hear(track: MediaStreamTrack, seconds: float = 1.0) -> float:
    """Return the loudest frequency of a while of sound once there is some [Hz], 0 if it stays silent."""
    samples: list[np.ndarray] = []
    async with asyncio.timeout(10):
        while len(samples) < seconds * 50:
            frame = await track.recv()
            assert isinstance(frame, av.AudioFrame)
            mono = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0].astype(float)
            if samples or np.abs(mono).max() > 500:
                samples.append(mono)
    sound = np.concatenate(samples)
    return float(np.abs(np.fft.rfft(sound)).argmax() * 48_000 / len(sound))


async def test_a_watcher_sees_and_hears_the_call_within_two_seconds(
    place: Place,  # noqa: F811
    peers: list[Peer],
) -> None:
    ingest, desk = place.ingest()
    session = (await place.caller(Tone(), Red()).call(ingest)).id
    await until(desk.sinks[0].pictures)
    began = time.monotonic()
    peer, _ = await watch(ingest, session, peers)
    picture = await asyncio.wait_for(peer.tracks["video"].recv(), 5)
    assert time.monotonic() - began < 2
    assert isinstance(picture, av.VideoFrame)
    red, green, _ = picture.to_ndarray(format="rgb24").mean(axis=(0, 1))
    assert red > 120 > 60 > green
    assert abs(await hear(peer.tracks["audio"]) - TONE_HZ) < 5


async def test_the_caller_hears_the_agent_and_silence_until_then(
    place: Place,  # noqa: F811
    peers: list[Peer],
) -> None:
    ingest, desk = place.ingest()
    customer = Peer(audio=SpokenTrack(), video=Red())
    peers.append(customer)
    answer = await ingest.answer(await customer.offer(), "", can_hear=True)
    await customer.take(answer.sdp)
    await until(desk.sinks[0].pictures)
    quiet = await asyncio.wait_for(customer.tracks["audio"].recv(), 5)
    assert np.abs(quiet.to_ndarray()).max() < 50  # type: ignore[union-attr]
    await watch(ingest, answer.id, peers, audio=Tone())
    assert abs(await hear(customer.tracks["audio"]) - TONE_HZ) < 5


async def test_a_caller_that_only_sends_and_one_that_may_not_hear_are_answered_as_before(
    place: Place,  # noqa: F811
    peers: list[Peer],
) -> None:
    ingest, _ = place.ingest()
    sender = place.caller(Tone())
    answer = await ingest.answer(await sender.offer(), "", can_hear=True)
    assert "a=recvonly" in answer.sdp
    assert "a=send" not in answer.sdp
    await sender.pc.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
    peers.append(Peer(audio=Tone()))
    answer = await ingest.answer(await peers[-1].offer(), "")
    assert "a=send" not in answer.sdp
    await peers[-1].take(answer.sdp)


async def test_watching_ends_with_the_call_or_when_the_watcher_leaves_or_vanishes(
    place: Place,  # noqa: F811
    peers: list[Peer],
) -> None:
    ingest, desk = place.ingest()
    session = (await place.caller(Tone(), Red()).call(ingest)).id
    await until(desk.sinks[0].pictures)
    _, first = await watch(ingest, session, peers)
    second, _ = await watch(ingest, session, peers)
    await until(lambda: second.pc.connectionState == "connected")
    third_peer = Peer()
    peers.append(third_peer)
    with pytest.raises(ServiceFullError, match=f"{MAX_WATCHERS} of {MAX_WATCHERS} watch this call"):
        await ingest.watch(session, await third_peer.offer())
    await ingest.unwatch(first)
    with pytest.raises(SignallingError, match="nothing is watched under this address"):
        await ingest.unwatch(first)
    _, third = await watch(ingest, session, peers)
    await ingest.delete(session)
    await until(lambda: not ingest._watchers)
    with pytest.raises(SignallingError, match="nothing is watched"):
        await ingest.patch_watch(third, "*", "a=end-of-candidates")
    assert desk.sinks[0].causes == ["hung up"]


async def test_a_watcher_that_never_connects_is_let_go(place: Place, peers: list[Peer]) -> None:  # noqa: F811
    ingest, desk = place.ingest(connect_timeout_s=0.5)
    session = (await place.caller(Red()).call(ingest)).id
    await until(desk.sinks[0].pictures)
    peers.append(Peer())
    answer = await ingest.watch(session, await peers[-1].offer())
    await asyncio.sleep(1.5)
    with pytest.raises(SignallingError, match="nothing is watched"):
        await ingest.unwatch(answer.id)
    assert ingest.n_calls == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda sdp: "nonsense", "the offer is no SDP"),
        (lambda sdp: sdp.replace("a=recvonly", "a=inactive"), "the offer receives nothing"),
        (lambda sdp: sdp.replace("a=fingerprint", "a=print"), "only DTLS-SRTP"),
    ],
)
async def test_a_broken_offer_is_refused_and_leaves_nothing_behind(
    place: Place,  # noqa: F811
    change: Any,
    error: str,
) -> None:
    ingest, desk = place.ingest()
    session = (await place.caller(Red()).call(ingest)).id
    await until(desk.sinks[0].pictures)
    peer = Peer()
    with pytest.raises(SignallingError, match=error):
        await ingest.watch(session, change(await peer.offer()))
    assert ingest._watchers == {}
    with pytest.raises(SignallingError, match="there is no such call"):
        await ingest.watch("nobody", await peer.offer())
    await peer.pc.close()


async def test_a_vanished_caller_takes_its_watchers_along(place: Place, peers: list[Peer]) -> None:  # noqa: F811
    ingest, desk = place.ingest(media_timeout_s=1)
    caller = place.caller(Red())
    session = (await caller.call(ingest)).id
    await until(desk.sinks[0].pictures)
    await watch(ingest, session, peers)
    await vanish(caller)
    await until(lambda: not ingest._watchers)


async def test_whoever_reads_too_slowly_loses_its_own_frames_and_holds_up_nobody() -> None:
    relay, slow, sound = Relay(), RelayedTrack(Medium.VIDEO), RelayedTrack(Medium.AUDIO)
    for track in (slow, sound):
        relay.add(track)
    for i in range(300):
        frame = av.VideoFrame(16, 16, "yuv420p")
        frame.pts, frame.time_base = i * 3000, fractions.Fraction(1, 90_000)
        relay.push(frame)
    newest = await slow.recv()
    assert newest.time is not None
    assert newest.time > 9.8
    assert len(slow._frames) == 0
    assert len(sound._frames) <= MAX_SOUNDS


async def test_pictures_are_thinned_to_what_a_watcher_needs() -> None:
    track, got = RelayedTrack(Medium.VIDEO), 0
    for i in range(60):
        frame = av.VideoFrame(16, 16, "yuv420p")
        frame.pts, frame.time_base = i * 3000, fractions.Fraction(1, 90_000)
        track.put(frame)
        while track._frames:
            await track.recv()
            got += 1
    assert got == 2 * PICTURES_HZ
