"""WebRTC ingest: offers in, answers out, one `RtcCall` for each. Knows nothing of HTTP; see `stream/api/whip.py`."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiortc import RTCConfiguration, RTCPeerConnection

from stream.errors import ServiceFullError, SignallingError
from stream.ingest import guard
from stream.ingest.ice import IceServer, parse_server
from stream.ingest.offer import parse_fragment, vet_offer
from stream.ingest.rtc_call import CallStats, RtcCall
from stream.ingest.sink import CallDesk, CallSink
from stream.ingest.watch import Watcher
from stream.settings import Settings

SOURCE = "whip"
MAX_WATCHERS = 2
"""Of one call: each costs about a tenth of a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a caller gets for its offer."""

    id: str
    """The session's; also the name of the resource to patch and delete."""
    etag: str
    """Of the ICE session, in quotes as HTTP writes it."""
    sdp: str


class WebRtcIngest:
    """All calls that come by WebRTC. Made without a running event loop; `close` it before the loop ends.

    Args:
        desk: Opens the sessions.
        settings: Limits, time-outs, ICE servers.
        clock: Monotonic time [s].

    Raises:
        SettingsError: An ICE server is none, or the installed aiortc is not the one that `guard` knows.
    """

    def __init__(self, desk: CallDesk, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        guard.install()
        self.ice_servers: tuple[IceServer, ...] = tuple(parse_server(text) for text in settings.ice_servers)
        self._desk = desk
        self._settings = settings
        self._clock = clock
        self._calls: dict[str, tuple[RtcCall, str]] = {}
        self._open: set[RtcCall] = set()  # also those that are being answered or closed
        self._watchers: dict[str, tuple[Watcher, str, str]] = {}
        self._is_closed = False

    @property
    def n_calls(self) -> int:
        """Calls that run now."""
        return len(self._calls)

    @property
    def stats(self) -> tuple[CallStats, ...]:
        """What each running call received so far."""
        return tuple(call.stats for call, _ in self._calls.values())

    async def answer(self, offer: str, name: str, desk: CallDesk | None = None, *, can_hear: bool = False) -> Answer:
        """Open a session for an offer.

        Args:
            offer: SDP, as it came.
            name: To show for the call.
            desk: Opens the session; None: ours.
            can_hear: Whether the caller hears and sees those who watch.

        Raises:
            SignallingError: We cannot or will not answer it; `status` says which.
            ServiceFullError: As many calls run as may.
        """
        vetted = vet_offer(offer)
        if self._is_closed or len(self._open) >= self._settings.max_sessions:
            raise ServiceFullError(f"{len(self._open)} of {self._settings.max_sessions} calls are running")
        # Without servers given aiortc would ask one of Google's.
        configuration = RTCConfiguration(iceServers=[server.to_rtc() for server in self.ice_servers])
        call = RtcCall(RTCPeerConnection(configuration), self._settings, self._open.discard, self._clock)
        self._open.add(call)
        sink: CallSink | None = None
        try:
            sdp = await asyncio.wait_for(call.negotiate(vetted, can_hear=can_hear), self._settings.connect_timeout_s)
            sink = (desk or self._desk).open(source=SOURCE, name=name)
        except TimeoutError as exc:
            raise SignallingError(f"no answer within {self._settings.connect_timeout_s:g} s", status=504) from exc
        finally:
            if sink is None:  # refused, or the caller hung up while it waited
                call.end("refused")
        return self._start(call, sink, sdp)

    def _start(self, call: RtcCall, sink: CallSink, sdp: str) -> Answer:
        answer = Answer(id=sink.id, etag=f'"{secrets.token_hex(8)}"', sdp=sdp)
        self._calls[sink.id] = (call, answer.etag)
        sink.on_close(lambda: self._forget(answer.id))
        call.start(sink)
        return answer

    def _forget(self, id: str) -> None:
        del self._calls[id]
        for watcher, session, _ in tuple(self._watchers.values()):
            if session == id:
                watcher.end()

    async def patch(self, id: str, etag: str, fragment: str) -> None:
        """Take more ICE candidates of a caller.

        Args:
            id: The session's.
            etag: As the answer had it, or `*`.
            fragment: `application/trickle-ice-sdpfrag`.

        Raises:
            SignallingError: 404, 412 (other etag), 422 (ICE restart), 400.
        """
        call, expected = self._find(id)
        if etag not in ("*", expected):
            raise SignallingError(f"If-Match is {etag[:40]}, the session has another ETag", status=412)
        await call.trickle(parse_fragment(fragment))

    async def delete(self, id: str) -> None:
        """End a call and wait until its connection is gone.

        Raises:
            SignallingError: There is no such call (404).
        """
        call, _ = self._find(id)
        call.end("hung up")
        await call.wait_closed()

    async def watch(self, session: str, offer: str) -> Answer:
        """Send the picture and sound of a call to somebody else; what that one sends is heard by the caller.

        Raises:
            SignallingError: We cannot or will not answer the offer, or there is no such call that came by WebRTC (404).
            ServiceFullError: As many watch the call as may.
        """
        if session not in self._calls:
            raise SignallingError("there is no such call, or it has no live picture", status=404)
        vetted = vet_offer(offer, to_watch=True)
        n_watching = sum(watched == session for _, watched, _ in self._watchers.values())
        if self._is_closed or n_watching >= MAX_WATCHERS:
            raise ServiceFullError(f"{n_watching} of {MAX_WATCHERS} watch this call")
        call, _ = self._calls[session]
        configuration = RTCConfiguration(iceServers=[server.to_rtc() for server in self.ice_servers])
        id, etag = secrets.token_urlsafe(9), f'"{secrets.token_hex(8)}"'
        pc = RTCPeerConnection(configuration)
        watcher = Watcher(pc, call.relays, call.back, self._settings, lambda _: self._unwatched(id), self._clock)
        self._watchers[id] = watcher, session, etag
        is_answered = False
        try:
            sdp = await asyncio.wait_for(watcher.negotiate(vetted), self._settings.connect_timeout_s)
            is_answered = session in self._calls  # it may have ended meanwhile
        except TimeoutError as exc:
            raise SignallingError(f"no answer within {self._settings.connect_timeout_s:g} s", status=504) from exc
        finally:
            if not is_answered:
                watcher.end()
        return Answer(id=id, etag=etag, sdp=sdp)

    def is_watched(self, id: str) -> bool:
        """Whether a watcher is still there."""
        return id in self._watchers

    async def patch_watch(self, id: str, etag: str, fragment: str) -> None:
        """Take more ICE candidates of a watcher.

        Raises:
            SignallingError: 404, 412 (other etag), 422 (ICE restart), 400.
        """
        watcher, _, expected = self._find_watcher(id)
        if etag not in ("*", expected):
            raise SignallingError(f"If-Match is {etag[:40]}, the watcher has another ETag", status=412)
        await watcher.trickle(parse_fragment(fragment))

    async def unwatch(self, id: str) -> None:
        """End a watcher and wait until its connection is gone.

        Raises:
            SignallingError: There is no such watcher (404).
        """
        watcher, _, _ = self._find_watcher(id)
        watcher.end()
        await watcher.wait_closed()

    def _find_watcher(self, id: str) -> tuple[Watcher, str, str]:
        if id not in self._watchers:
            raise SignallingError("nothing is watched under this address", status=404)
        return self._watchers[id]

    def _unwatched(self, id: str) -> None:
        self._watchers.pop(id, None)

    async def close(self) -> None:
        """End all calls, wait for them, and refuse new ones."""
        self._is_closed = True
        watchers = [watcher for watcher, _, _ in self._watchers.values()]
        for watcher in watchers:
            watcher.end()
        await asyncio.gather(*(watcher.wait_closed() for watcher in watchers))
        calls = list(self._open)
        for call in calls:
            call.end("service stopped")
        await asyncio.gather(*(call.wait_closed() for call in calls))

    def _find(self, id: str) -> tuple[RtcCall, str]:
        if id not in self._calls:
            raise SignallingError("no such call", status=404)
        return self._calls[id]
