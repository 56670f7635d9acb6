"""What it costs to hand a call on to an agent: of one 640x480 call at 30 a second, with and without a watcher.

    python tests/bench/bench_watch.py

Caller, service and watcher share this process; the difference is that of encoding, sending and decoding once more.
"""

import asyncio
import json
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "stream" / "ingest"))
import test_webrtc
from aiortc import RTCSessionDescription
from test_watch import Peer

from stream.ingest.webrtc import WebRtcIngest
from stream.settings import Settings

SECONDS = 15.0


async def drain(peer: Peer) -> None:
    """Take what comes, as a browser does."""
    track = peer.tracks["video"]
    while True:
        await track.recv()


async def main() -> None:
    """Print one JSON line."""
    test_webrtc.PICTURES_HZ = 30
    ingest = WebRtcIngest(test_webrtc.Desk(2), Settings())
    answer = await test_webrtc.Caller(test_webrtc.Tone(), test_webrtc.Red(640, 480)).call(ingest)
    await asyncio.sleep(3)
    alone = await share()
    peer = Peer()
    watch = await ingest.watch(answer.id, await peer.offer())
    await peer.pc.setRemoteDescription(RTCSessionDescription(watch.sdp, "answer"))
    draining = asyncio.create_task(drain(peer))
    await asyncio.sleep(3)
    watched = await share()
    draining.cancel()
    print(json.dumps({"core_alone": alone, "core_watched": watched, "core_of_a_watcher": round(watched - alone, 3)}))
    await peer.pc.close()
    await ingest.close()


async def share() -> float:
    """Return what of a core this process uses."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.sleep(SECONDS)
    after = resource.getrusage(resource.RUSAGE_SELF)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(used_s / SECONDS, 3)


asyncio.run(main())
