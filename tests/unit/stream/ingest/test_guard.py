"""What aiortc leaves open, and that the guard closes it; each test pins the private names that its part touches."""

import asyncio
import gc
import socket
import threading
from collections.abc import Callable
from typing import Any

import aioice.ice
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.codecs import CODECS
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from av import VideoFrame

from stream.errors import SettingsError
from stream.events import Medium
from stream.ingest import guard
from stream.ingest.decoder_queue import KEY_FRAME_EVERY, MAX_ENCODED, DecoderQueue, is_key_frame
from stream.ingest.jitter import AudioJitterBuffer

VP8 = next(codec for codec in CODECS["video"] if codec.name == "VP8")
OPUS = next(codec for codec in CODECS["audio"] if codec.name == "opus")

# What a stranger may send: kind of datagram -> bytes. 7 of the 18 combinations with the moment end an unguarded call.
ATTACKS = {
    "empty": b"",
    "alert_close": bytes([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0]),
    "alert_fatal": bytes([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40]),
    "garbage_dtls": bytes([22, 254, 253]) + bytes(range(60)),
    "garbage_rtp": bytes([0x80, 96]) + bytes(range(60)),
    "one_byte": b"\x40",
}


def test_the_installed_aiortc_has_every_name_that_the_guard_touches() -> None:
    assert guard.missing_names() == []


def test_a_missing_name_stops_the_start_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PRIVATE_NAMES", ((RTCRtpReceiver, ("_RTCRtpReceiver__gone",)),))
    monkeypatch.setattr(guard.missing_names, "__defaults__", (guard.PRIVATE_NAMES,))
    with pytest.raises(SettingsError) as refused:
        guard.install()
    assert str(refused.value) == (
        "aiortc or aioice lacks RTCRtpReceiver._RTCRtpReceiver__gone; install aiortc 1.16 with aioice 0.13"
    )


def test_installing_twice_wraps_once() -> None:
    guard.install()
    wrapped = aioice.ice.StunProtocol.datagram_received
    guard.install()
    assert aioice.ice.StunProtocol.datagram_received is wrapped


def test_a_machine_without_a_network_can_be_called_from_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    guard.install()
    assert aioice.ice.get_host_addresses is guard.host_addresses
    monkeypatch.setattr(guard, "_host_addresses", lambda use_ipv4, use_ipv6: ["192.0.2.2"])
    assert guard.host_addresses(True, True) == ["192.0.2.2"]
    monkeypatch.setattr(guard, "_host_addresses", lambda use_ipv4, use_ipv6: [])
    assert guard.host_addresses(True, True) == ["127.0.0.1"]


async def connect(sender: RTCPeerConnection, receiver: RTCPeerConnection, before: Callable[[], object]) -> None:
    await sender.setLocalDescription(await sender.createOffer())
    await receiver.setRemoteDescription(RTCSessionDescription(sender.localDescription.sdp, "offer"))
    await receiver.setLocalDescription(await receiver.createAnswer())
    before()
    await sender.setRemoteDescription(RTCSessionDescription(receiver.localDescription.sdp, "answer"))


def addresses(pc: RTCPeerConnection) -> list[tuple[str, int]]:
    lines = [line.split() for line in pc.localDescription.sdp.splitlines() if line.startswith("a=candidate")]
    return [(words[4], int(words[5])) for words in lines if ":" not in words[4]]


async def attacked_call(payload: bytes, when: str, stranger: socket.socket) -> tuple[str, int]:
    """Return the receiver's state, and how many sound frames it got after the attack."""
    sender, receiver = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    sender.addTrack(AudioStreamTrack())
    n_frames = 0

    async def read(track: MediaStreamTrack) -> None:
        nonlocal n_frames
        while True:
            await track.recv()
            n_frames += 1

    tasks: list[asyncio.Task[None]] = []
    receiver.on("track", lambda track: tasks.append(asyncio.ensure_future(read(track))))

    def shoot() -> None:
        for address in addresses(receiver):
            stranger.sendto(payload, address)

    await connect(sender, receiver, shoot if when == "before" else lambda: None)
    for _ in range(40):
        if when == "during":
            shoot()
        await asyncio.sleep(0.02)
    if when == "after":
        shoot()
        n_frames = 0
        await asyncio.sleep(0.8)
    result = receiver.connectionState, n_frames
    for task in tasks:
        task.cancel()
    for pc in (sender, receiver):
        await guard.close_quietly(pc)
    return result


@pytest.mark.parametrize("when", ["before", "during", "after"])
async def test_no_single_datagram_of_a_stranger_disturbs_a_call(when: str) -> None:
    guard.install()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        results = await asyncio.gather(*(attacked_call(payload, when, stranger) for payload in ATTACKS.values()))
    disturbed = {
        kind: result for kind, result in zip(ATTACKS, results, strict=True) if result[0] != "connected" or result[1] < 5
    }
    assert disturbed == {}


def test_only_stun_passes_from_strangers_and_only_if_it_parses() -> None:
    connection = aioice.ice.Connection(ice_controlling=False)
    stranger = ("192.0.2.7", 4000)
    binding = bytes(aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST))
    # PRIORITY (0x0024) with 2 bytes instead of 4: aioice's parser raises struct.error.
    short_priority = binding[:2] + (8).to_bytes(2, "big") + binding[4:20] + b"\x00\x24\x00\x02\x00\x00\x00\x00"
    assert guard.is_wanted(connection, binding, stranger)
    for data in (b"", b"\x00", b"\x00" * 40, short_priority, *ATTACKS.values()):
        assert not guard.is_wanted(connection, data, stranger), data


async def test_data_passes_only_from_a_checked_pair_and_never_without_bound() -> None:
    connection = aioice.ice.Connection(ice_controlling=False)
    protocol = aioice.ice.StunProtocol(connection)
    peer = aioice.Candidate("f", 1, "udp", 1, "192.0.2.7", 4000, "host")
    pair = aioice.ice.CandidatePair(protocol, peer)
    connection._check_list.append(pair)
    assert not guard.is_wanted(connection, b"\x80", ("192.0.2.7", 4000))
    pair.state = aioice.ice.CandidatePair.State.SUCCEEDED
    assert guard.is_wanted(connection, b"\x80", ("192.0.2.7", 4000))
    assert not guard.is_wanted(connection, b"\x80", ("192.0.2.7", 4001))
    for _ in range(guard.MAX_DATAGRAMS):
        connection.data_received(b"\x80", 1)
    assert not guard.is_wanted(connection, b"\x80", ("192.0.2.7", 4000))


async def test_a_full_frame_queue_drops_the_oldest_and_keeps_the_end_mark() -> None:
    frames = guard.FrameQueue(2)
    pictures = [VideoFrame(16, 16) for _ in range(5)]
    for picture in pictures:
        await frames.put(picture)
    await frames.put(None)
    assert [frames.get_nowait() for _ in range(3)] == [*pictures[3:], None]
    assert frames.n_dropped == 3


def encoded(number: int, is_key: bool) -> tuple[Any, JitterFrame]:
    return VP8, JitterFrame(data=bytes([0 if is_key else 1]) + b"x" * 9, timestamp=number)


def test_an_overrun_decoder_drops_pictures_up_to_the_next_key_frame_and_asks_for_one() -> None:
    error = threading.Event()
    encoded_queue = DecoderQueue(Medium.VIDEO, error)
    n_max = MAX_ENCODED[Medium.VIDEO]
    for number in range(n_max + 5):
        encoded_queue.put(encoded(number, is_key=number == 0))
    assert error.is_set()
    assert encoded_queue.empty()
    assert encoded_queue.n_dropped == n_max + 5
    encoded_queue.put(encoded(n_max + 5, is_key=True))
    encoded_queue.put(encoded(n_max + 6, is_key=False))
    assert [encoded_queue.get()[1].timestamp for _ in range(2)] == [n_max + 5, n_max + 6]


def test_a_key_frame_is_asked_for_again_while_none_comes() -> None:
    error = threading.Event()
    encoded_queue = DecoderQueue(Medium.VIDEO, error)
    n_asked = 0
    for number in range(MAX_ENCODED[Medium.VIDEO] + 2 * KEY_FRAME_EVERY):
        encoded_queue.put(encoded(number, is_key=False))
        n_asked += error.is_set()
        error.clear()
    assert n_asked == 2


def test_an_overrun_sound_decoder_goes_on_with_the_newest_packet() -> None:
    error = threading.Event()
    encoded_queue = DecoderQueue(Medium.AUDIO, error)
    for number in range(MAX_ENCODED[Medium.AUDIO] + 1):
        encoded_queue.put((OPUS, JitterFrame(data=b"x", timestamp=number)))
    assert encoded_queue.get()[1].timestamp == MAX_ENCODED[Medium.AUDIO]
    assert not error.is_set()


def test_stopping_a_decoder_that_is_behind_does_not_wait_for_its_backlog() -> None:
    encoded_queue = DecoderQueue(Medium.VIDEO, threading.Event())
    for number in range(10):
        encoded_queue.put(encoded(number, is_key=True))
    encoded_queue.put(None)
    assert encoded_queue.get() is None


@pytest.mark.parametrize(
    ("codec", "data", "is_key"),
    [
        ("VP8", b"\x10\x02\x00", True),
        ("VP8", b"\x11\x02\x00", False),
        ("VP8", b"", False),
        ("H264", b"\x00\x00\x00\x01\x67\x42\x00\x00\x00\x01\x65\x88", True),
        ("H264", b"\x00\x00\x01\x41\x9a", False),
        ("H264", b"", False),
        ("H264", b"\x00\x00\x01", False),
    ],
)
def test_key_frames_are_told_from_the_rest(codec: str, data: bytes, is_key: bool) -> None:
    assert is_key_frame(codec, data) is is_key


async def test_a_track_that_nobody_reads_stays_bounded() -> None:
    sender, receiver = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    sender.addTrack(AudioStreamTrack())
    sender.addTrack(VideoStreamTrack())
    guards: dict[str, guard.TrackGuard] = {}
    receiver.on("track", lambda track: guards.update({track.kind: guard.protect(receiver, track)}))
    await connect(sender, receiver, lambda: None)
    assert isinstance(receiver.getReceivers()[0].track, RemoteStreamTrack)
    async with asyncio.timeout(10):
        while guards["video"].decoded.n_dropped < 10:
            await asyncio.sleep(0.05)
    assert guards["video"].decoded.qsize() == guard.MAX_DECODED[Medium.VIDEO]
    assert guards["video"].n_dropped >= 10
    sound = next(r for r in receiver.getReceivers() if r.track.kind == "audio")
    assert isinstance(getattr(sound, guard.JITTER_BUFFER), AudioJitterBuffer)
    assert guards["audio"].decoded.qsize() > 0, "sound must pass through the jitter buffer that was put in"
    for pc in (sender, receiver):
        await guard.close_quietly(pc)


async def test_a_handshake_that_fails_is_logged_not_raised_where_nobody_looks() -> None:
    noise: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
    sender, receiver = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    guard.guard_connect(receiver)
    sender.addTrack(AudioStreamTrack())
    await sender.setLocalDescription(await sender.createOffer())
    kept = [line for line in sender.localDescription.sdp.splitlines() if not line.startswith("a=fingerprint")]
    await receiver.setRemoteDescription(RTCSessionDescription("\r\n".join(kept) + "\r\n", "offer"))
    await receiver.setLocalDescription(await receiver.createAnswer())
    await sender.setRemoteDescription(RTCSessionDescription(receiver.localDescription.sdp, "answer"))
    await asyncio.sleep(0.5)
    for pc in (sender, receiver):
        await guard.close_quietly(pc)
    gc.collect()
    await asyncio.sleep(0)
    assert noise == []


async def test_closing_never_raises_and_frees_the_sockets_even_if_aiortc_stumbles() -> None:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.addTrack(AudioStreamTrack())
    await pc.setLocalDescription(await pc.createOffer())
    (transport,) = getattr(pc, guard.ICE_TRANSPORTS)
    pc.getTransceivers()[0].receiver.setTransport(None)  # what an offer with an unknown BUNDLE mid leads to
    await guard.close_quietly(pc)
    assert transport.state == "closed"
    assert transport._connection._protocols == []


def test_less_is_asked_for_while_a_cap_is_set_and_never_more_than_the_network_bears() -> None:
    rate = guard.CappedRate(RemoteBitrateEstimator())

    def asked(first: int) -> list[int]:
        found = []
        for i in range(first, first + 400):
            told = rate.add(arrival_time_ms=10 * i, abs_send_time=(10 * i << 18) // 1000, payload_size=1200, ssrc=7)
            found += [told[0]] if told else []
        return found

    assert max(asked(0)) > 100_000
    rate.cap_bit_s = 100_000
    assert max(asked(400)) == 100_000
    rate.cap_bit_s = 10**9
    assert max(asked(800)) < 10**9
