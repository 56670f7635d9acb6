"""Measures a running service with N calls: `python tests/bench/bench_calls.py --calls 4 --seconds 60`.

Starts the real service on loopback and sends it N real WebRTC calls of 640x480 at 30 pictures a second with Opus sound,
encoded beforehand so that the sender costs little. Each call's face is forged for a while, at another moment in each.
Prints one JSON line a figure. Times are of the wall clock on the machine that both share.
"""

import argparse
import asyncio
import fractions
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import av
import psutil
import websockets
from aiortc import MediaStreamTrack

from stream import demo
from stream.whip_client import publish

RATE_HZ = 30
CYCLE_S = 40.0
FORGED_FROM_S, FORGED_TO_S = 14.0, 28.0
BIT_RATE = 1_000_000


class PacketTrack(MediaStreamTrack):
    """Plays encoded packets at their pace, over and over."""

    def __init__(self, kind: str, packets: Sequence[bytes], period_s: float, clock_hz: int, skip: int) -> None:
        super().__init__()
        self.kind = kind
        self._packets, self._period_s, self._clock_hz, self._skip = packets, period_s, clock_hz, skip
        self._n = 0
        self.start_s: float | None = None

    async def recv(self) -> av.Packet:
        if self.start_s is None:
            self.start_s = time.time()
        await asyncio.sleep(max(self.start_s + self._n * self._period_s - time.time(), 0))
        packet = av.Packet(self._packets[(self._n + self._skip) % len(self._packets)])
        packet.pts = round(self._n * self._period_s * self._clock_hz)
        packet.time_base = fractions.Fraction(1, self._clock_hz)
        self._n += 1
        return packet


def encode_pictures() -> list[bytes]:
    """A cycle of the demonstration's portrait, forged in its middle, as VP8."""
    portrait = demo.load_portrait()
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = demo.WIDTH_PX, demo.HEIGHT_PX, "yuv420p"
    codec.bit_rate, codec.time_base = BIT_RATE, fractions.Fraction(1, RATE_HZ)
    codec.gop_size = RATE_HZ * 2
    codec.thread_count = 1  # libvpx's threads wait for each other actively
    codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    packets = []
    for i in range(int(CYCLE_S * RATE_HZ)):
        time_s = i / RATE_HZ
        rgb = portrait.picture(time_s, FORGED_FROM_S <= time_s < FORGED_TO_S)
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
        frame.pts = i
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


def encode_sound() -> list[bytes]:
    """The demonstration's genuine voice as Opus packets of 20 ms."""
    voice = demo.load_voices()[0]
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.format, codec.layout = 48_000, "s16", "mono"
    codec.options = {"frame_duration": "20"}
    packets: list[bytes] = []
    for start in range(0, len(voice) - demo.PACKET_SAMPLES, demo.PACKET_SAMPLES):
        frame = av.AudioFrame.from_ndarray(
            voice[start : start + demo.PACKET_SAMPLES][None], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = 48_000, start
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


@contextmanager
def service() -> Iterator[tuple[str, psutil.Process]]:
    """The real service in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"KUA_DATA_DIR": folder, "KUA_PORT": str(port)}
        with subprocess.Popen([sys.executable, "-m", "stream", "serve"], env=environment) as process:
            try:
                for _ in range(600):
                    with socket.socket() as probe:
                        if probe.connect_ex(("127.0.0.1", port)) == 0:
                            break
                    time.sleep(0.1)
                yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
            finally:
                process.terminate()
                process.wait(20)


class Watcher:
    """A viewer's live connection; keeps when each message came."""

    def __init__(self) -> None:
        self.readings: dict[str, list[tuple[float, dict[str, object]]]] = {}
        self.alerts: list[tuple[float, dict[str, object]]] = []
        self.first_s: dict[str, float] = {}

    async def watch(self, url: str) -> None:
        async with websockets.connect(url.replace("http", "ws") + "/v1/alerts?after=0") as live:
            async for text in live:
                now, message = time.time(), json.loads(text)
                if message["type"] == "alert":
                    self.alerts.append((now, message))
                elif message["type"] == "verdict":
                    self.readings.setdefault(message["session"], []).append((now, message))


async def measure(
    url: str, process: psutil.Process, calls: int, seconds: float, pictures: list[bytes], packets: list[bytes]
) -> dict[str, object]:
    watcher = Watcher()
    watching = asyncio.create_task(watcher.watch(url))
    tracks, sent = {}, []
    for i in range(calls):
        # Each begins at another place of the genuine stretch, at a key picture.
        skip = int(FORGED_TO_S + 2 * i % (CYCLE_S - FORGED_TO_S)) * RATE_HZ
        video = PacketTrack("video", pictures, 1 / RATE_HZ, 90_000, skip)
        call = await publish(url, [video, PacketTrack("audio", packets, 0.02, 48_000, i * 37)], name=f"bench {i}")
        sent.append(call)
        tracks[call.resource.rsplit("/", 1)[1]] = (video, skip / RATE_HZ)
        await asyncio.sleep(0.3)
    await asyncio.sleep(10)
    process.cpu_percent()
    rss = [process.memory_info().rss]
    end = time.time() + seconds - 10
    while time.time() < end:
        await asyncio.sleep(min(5, max(end - time.time(), 0.1)))
        rss.append(process.memory_info().rss)
    cpu = process.cpu_percent()
    for call in sent:
        await call.close()
    watching.cancel()
    return summary(watcher, tracks, seconds, rss, cpu)


def takeovers(tracks: dict[str, tuple[PacketTrack, float]], seconds: float) -> int:
    """Count the forged stretches that began at least eight seconds before the end."""
    return sum(
        int((skip_s + seconds - 8 - FORGED_FROM_S) // CYCLE_S) - int((skip_s - FORGED_FROM_S) // CYCLE_S)
        for _, skip_s in tracks.values()
    )


def summary(
    watcher: Watcher,
    tracks: dict[str, tuple[PacketTrack, float]],
    seconds: float,
    rss: list[int],
    cpu: float,
) -> dict[str, object]:
    behind, to_alert = [], []
    for session, (video, _) in tracks.items():
        assert video.start_s is not None
        behind += [now - video.start_s - float(m["time_s"]) for now, m in watcher.readings.get(session, [])]
    for now, alert in watcher.alerts:
        if alert["kind"] == "raised" and alert["session"] in tracks:
            video, skip_s = tracks[str(alert["session"])]
            place_s = now - (video.start_s or 0) + skip_s
            onset_s = place_s // CYCLE_S * CYCLE_S + FORGED_FROM_S
            if place_s - onset_s < 0:
                onset_s -= CYCLE_S
            to_alert.append(place_s - onset_s)
    last = [readings[-1][1] for readings in watcher.readings.values() if readings]
    return {
        "calls": len(tracks),
        "windows_dropped": sum(m["dropped"]["windows"] for m in last),
        "pictures_dropped": sum(m["dropped"]["pictures"] for m in last),
        "audio_lost_s": round(sum(m["dropped"]["audio_s"] for m in last), 2),
        "readings_behind_s": {
            "median": round(statistics.median(behind), 3),
            "p99": round(sorted(behind)[int(len(behind) * 0.99)], 3),
        },
        "takeovers": takeovers(tracks, seconds),
        "alerts": len(to_alert),
        "time_to_alert_s": sorted(round(t, 2) for t in to_alert),
        "median_time_to_alert_s": round(statistics.median(to_alert), 2) if to_alert else None,
        "rss_mb": [round(rss[0] / 1e6), round(max(rss) / 1e6), round(rss[-1] / 1e6)],
        "cpu_percent_of_one_core": round(cpu),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    pictures, packets = encode_pictures(), encode_sound()
    with service() as (url, process):
        result = asyncio.run(measure(url, process, given.calls, given.seconds, pictures, packets))
    print(json.dumps(result | {"cores": os.cpu_count(), "load": os.getloadavg()[0], "machine": platform.machine()}))


if __name__ == "__main__":
    main()
