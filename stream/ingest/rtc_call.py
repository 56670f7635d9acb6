"""One call that comes by WebRTC: a peer connection on one side, a `CallSink` on the other.

Reads, samples, converts, places in time. Decides nothing about the call but its end: the peer left, sends nothing, or
talks for too long. Whoever ends it, both sides are closed once.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import cast

import av
import structlog
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from models.window import Pixels
from stream.errors import SignallingError
from stream.events import Gap, Medium, VideoFrame
from stream.ingest.guard import RTC_FAILURES, TrackGuard, close_quietly, guard_connect, protect
from stream.ingest.offer import Fragment, Offer, raise_bitrate
from stream.ingest.pipeline_tap import PipelineTap
from stream.ingest.relay import Relay, RelayedTrack, SpokenTrack
from stream.ingest.resample import SoundTrack
from stream.ingest.sampling import PictureSampler
from stream.ingest.sink import CallSink
from stream.ingest.track_clock import TrackClock
from stream.ingest.trickle import Trickle
from stream.settings import Settings

log = structlog.get_logger()

# Larger pictures carry no more of a face at the bit rates of a call, and cost 2 ms each to convert.
MAX_SIDE_PX = 1920
# Half of the shortest packets in use (10 ms): less is rounding, more is a packet that is missing.
SOUND_TOLERANCE_S = 0.005
WATCH_S = 0.25

PEER_VANISHED = "peer vanished"
NOT_CONNECTED = "not connected"
NO_MEDIA = "no media"
TOO_LONG = "longest call reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStats:
    """What one call received so far."""

    session: str
    n_pictures: int
    """Decoded pictures, sampled or not."""
    n_sound_frames: int
    n_dropped: int
    """Frames that never left the queues."""


class RtcCall:
    """A call from its offer to its end: `negotiate`, then `start`, then `end` by whoever comes first.

    Args:
        pc: A new connection; owned from here on.
        settings: Time-outs.
        on_closed: Called once, when the sockets and threads of an ended call are gone.
        clock: Monotonic time [s].
    """

    def __init__(
        self,
        pc: RTCPeerConnection,
        settings: Settings,
        on_closed: Callable[["RtcCall"], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pc = pc
        self._on_closed = on_closed
        self._settings = settings
        self._clock = clock
        self._sink: CallSink | None = None
        self._tracks: dict[MediaStreamTrack, TrackGuard] = {}
        self.relays = {medium: Relay() for medium in Medium}
        """What the caller sends, for those who watch."""
        self.back = {medium: Relay() for medium in Medium}
        """What those who watch send to the caller."""
        self._pipeline = PipelineTap()
        self._n_frames = dict.fromkeys(Medium, 0)
        self._trickle: Trickle | None = None
        self._born_s = self._quiet_since_s = clock()
        self._zero_s: float | None = None
        self._is_connected = False
        self._tasks: list[asyncio.Task[None]] = []
        self._teardown: asyncio.Task[None] | None = None
        guard_connect(pc)
        pc.on("track", self._on_track)

    async def negotiate(self, offer: Offer, *, can_hear: bool = False) -> str:
        """Return the answer to an offer.

        Args:
            offer: From a caller.
            can_hear: Whether the caller hears and sees those who watch, where its offer receives.

        Raises:
            SignallingError: The offer passed our checks but aiortc cannot answer it.
        """
        self._trickle = Trickle(self._pc, offer)
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            if can_hear:
                self._answer_back()
            answer = await self._pc.createAnswer()
            await self._pc.setLocalDescription(answer)
        except RTC_FAILURES as exc:
            raise SignallingError(f"the offer cannot be answered: {type(exc).__name__}: {str(exc)[:80]}") from exc
        return raise_bitrate(self._pc.localDescription.sdp)

    def _answer_back(self) -> None:
        for transceiver in self._pc.getTransceivers():
            medium = Medium(transceiver.kind)
            track = SpokenTrack() if medium is Medium.AUDIO else RelayedTrack(medium)
            self._pc.addTrack(track)
            self.back[medium].add(track)

    def start(self, sink: CallSink) -> None:
        """Begin to feed a session."""
        self._sink = sink
        for track, guard in self._tracks.items():
            if track.kind == Medium.VIDEO:
                self._pipeline.watch(guard)
            self._run(self._hear(track, sink) if track.kind == Medium.AUDIO else self._see(track, sink))
        self._run(self._watch(sink))
        sink.on_close(lambda: self.end("closed"))

    async def trickle(self, fragment: Fragment) -> None:
        """Try more addresses of the caller.

        Raises:
            SignallingError: It is an ICE restart (422), cannot be used (400), or comes before the offer (409).
        """
        if self._trickle is None:
            raise SignallingError("the offer is not answered yet", status=409)
        await self._trickle.take(fragment)

    def end(self, cause: str) -> None:
        """End the call on both sides; later calls do nothing."""
        if self._teardown is None:
            self._teardown = asyncio.get_running_loop().create_task(self._tear_down())
            if self._sink is not None:
                self._sink.close(cause)

    async def wait_closed(self) -> None:
        """Wait until an ended call has let go of its sockets and threads."""
        if self._teardown is not None:
            await asyncio.shield(self._teardown)

    @property
    def stats(self) -> CallStats:
        """What was received so far."""
        return CallStats(
            session=self._sink.id if self._sink is not None else "",
            n_pictures=self._n_frames[Medium.VIDEO],
            n_sound_frames=self._n_frames[Medium.AUDIO],
            n_dropped=sum(guard.n_dropped for guard in self._tracks.values()),
        )

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._tracks[track] = protect(self._pc, track)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._on_task_done)
        self._tasks.append(task)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("reading a call failed", session=self.stats.session, exc_info=error)
            self.end("internal error")

    async def _hear(self, track: MediaStreamTrack, sink: CallSink) -> None:
        clock, sound = TrackClock(), SoundTrack(SOUND_TOLERANCE_S)
        while (frame := await self._next(track)) is not None:
            assert isinstance(frame, av.AudioFrame)
            if frame.time is None:
                continue
            arrival_s = self._elapsed()
            self._pipeline.hear(frame, arrival_s)
            start_s = clock.place(frame.time, arrival_s, frame.samples / frame.sample_rate)
            for media in sound.take(frame, start_s):
                if isinstance(media, Gap):
                    sink.note_dropped(Medium.AUDIO, media.end_s - media.start_s)
                sink.push(media)

    async def _see(self, track: MediaStreamTrack, sink: CallSink) -> None:
        clock, sampler = TrackClock(), PictureSampler()
        while (frame := await self._next(track)) is not None:
            assert isinstance(frame, av.VideoFrame)
            if frame.time is None:
                continue
            arrival_s = self._elapsed()
            self._pipeline.see(frame, arrival_s)
            if not sampler.take(time_s := clock.place(frame.time, arrival_s)):
                continue
            if max(frame.width, frame.height) > MAX_SIDE_PX:
                sink.note_dropped(Medium.VIDEO, 1)
                continue
            # At full size: swscale's way down to a smaller one costs more than this conversion (0.2 ms at 640x480).
            pixels = cast(Pixels, frame.to_ndarray(format="rgb24"))  # (H, W, 3)
            sink.push(VideoFrame(time_s=time_s, pixels=pixels))

    async def _next(self, track: MediaStreamTrack) -> object:
        """Return the next frame, or None at the end of the track."""
        try:
            frame = await track.recv()
        except MediaStreamError:
            return None
        self._quiet_since_s = self._clock()
        self._n_frames[Medium(track.kind)] += 1
        self.relays[Medium(track.kind)].push(frame)  # type: ignore[arg-type]  # aiortc's tracks carry PyAV's frames
        return frame

    def _elapsed(self) -> float:
        """Session time [s]: zero is the first frame of either track."""
        now_s = self._clock()
        if self._zero_s is None:
            self._zero_s = now_s
        return now_s - self._zero_s

    async def _watch(self, sink: CallSink) -> None:
        cause = None
        while cause is None:
            await asyncio.sleep(WATCH_S)
            if self._zero_s is not None:
                now_s = self._elapsed()
                self._pipeline.step(now_s)
                if traits := self._pipeline.told(now_s):
                    sink.note_pipeline(traits)
            cause = self._overdue()
        self.end(cause)

    def _overdue(self) -> str | None:
        """Return why the call must end now, if it must."""
        now_s = self._clock()
        state = self._pc.connectionState
        if state in ("failed", "closed"):
            return PEER_VANISHED if self._is_connected or self._zero_s is not None else NOT_CONNECTED
        if state == "connected" and not self._is_connected:
            self._is_connected = True
            self._quiet_since_s = now_s
        if not self._is_connected:
            return NOT_CONNECTED if now_s - self._born_s > self._settings.connect_timeout_s else None
        if now_s - self._quiet_since_s > self._settings.media_timeout_s:
            return NO_MEDIA
        return TOO_LONG if now_s - self._born_s > self._settings.max_call_s else None

    async def _tear_down(self) -> None:
        for task in self._tasks:
            task.cancel()
        await close_quietly(self._pc)
        self._on_closed(self)
