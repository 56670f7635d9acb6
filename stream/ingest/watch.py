"""One watcher of a call: a peer connection that gets the call's picture and sound, and whose sound the caller hears."""

import asyncio
import time
from collections.abc import Callable

import structlog
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from stream.errors import SignallingError
from stream.events import Medium
from stream.ingest.guard import RTC_FAILURES, close_quietly, guard_connect, protect
from stream.ingest.offer import Fragment, Offer, raise_bitrate
from stream.ingest.relay import Relay, RelayedTrack
from stream.ingest.trickle import Trickle
from stream.settings import Settings

log = structlog.get_logger()

WATCH_S = 0.25


class Watcher:
    """From its offer to its end, which comes with the call's at the latest.

    Args:
        pc: A new connection; owned from here on.
        call: What the call sends, by medium.
        back: What the caller is sent, by medium.
        settings: Time-outs.
        on_closed: Called once, when the sockets of an ended watcher are gone.
        clock: Monotonic time [s].
    """

    def __init__(
        self,
        pc: RTCPeerConnection,
        call: dict[Medium, Relay],
        back: dict[Medium, Relay],
        settings: Settings,
        on_closed: Callable[["Watcher"], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pc = pc
        self._call = call
        self._back = back
        self._settings = settings
        self._on_closed = on_closed
        self._clock = clock
        self._born_s = clock()
        self._is_connected = False
        self._sent: dict[Medium, RelayedTrack] = {}
        self._trickle: Trickle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._teardown: asyncio.Task[None] | None = None
        guard_connect(pc)
        pc.on("track", self._on_track)

    async def negotiate(self, offer: Offer) -> str:
        """Return the answer to an offer.

        Raises:
            SignallingError: The offer passed our checks but aiortc cannot answer it.
        """
        self._trickle = Trickle(self._pc, offer)
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            for medium in {Medium(transceiver.kind) for transceiver in self._pc.getTransceivers()}:
                self._sent[medium] = RelayedTrack(medium)
                self._pc.addTrack(self._sent[medium])
            await self._pc.setLocalDescription(await self._pc.createAnswer())
        except RTC_FAILURES as exc:
            raise SignallingError(f"the offer cannot be answered: {type(exc).__name__}: {str(exc)[:80]}") from exc
        for medium, track in self._sent.items():
            self._call[medium].add(track)
        self._tasks.append(asyncio.get_running_loop().create_task(self._keep()))
        return raise_bitrate(self._pc.localDescription.sdp)

    async def trickle(self, fragment: Fragment) -> None:
        """Try more addresses of the watcher.

        Raises:
            SignallingError: It is an ICE restart (422), cannot be used (400), or comes before the offer (409).
        """
        if self._trickle is None:
            raise SignallingError("the offer is not answered yet", status=409)
        await self._trickle.take(fragment)

    def end(self) -> None:
        """Stop watching; later calls do nothing."""
        if self._teardown is None:
            for medium, track in self._sent.items():
                self._call[medium].discard(track)
                track.stop()
            self._teardown = asyncio.get_running_loop().create_task(self._tear_down())

    async def wait_closed(self) -> None:
        """Wait until an ended watcher has let go of its sockets."""
        if self._teardown is not None:
            await asyncio.shield(self._teardown)

    def _on_track(self, track: MediaStreamTrack) -> None:
        protect(self._pc, track)
        self._tasks.append(asyncio.get_running_loop().create_task(self._hear(track)))

    async def _hear(self, track: MediaStreamTrack) -> None:
        """Pass on what the watcher says; a track that nobody reads would grow."""
        relay = self._back[Medium(track.kind)]
        while True:
            try:
                relay.push(await track.recv())  # type: ignore[arg-type]  # aiortc's tracks carry PyAV's frames
            except MediaStreamError:
                return

    async def _keep(self) -> None:
        """End what never connects, or no longer is."""
        while self._pc.connectionState not in ("failed", "closed"):
            self._is_connected = self._is_connected or self._pc.connectionState == "connected"
            if not self._is_connected and self._clock() - self._born_s > self._settings.connect_timeout_s:
                break
            await asyncio.sleep(WATCH_S)
        self.end()

    async def _tear_down(self) -> None:
        for task in self._tasks:
            task.cancel()
        await close_quietly(self._pc)
        self._on_closed(self)
