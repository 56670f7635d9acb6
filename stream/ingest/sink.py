"""What an ingest adapter needs of the rest of the service: a place to put media, and somebody to open calls."""

from collections.abc import Callable
from typing import Protocol

from models.traits import Traits
from stream.events import Media, Medium


class CallSink(Protocol):
    """One call, as an adapter sees it. All methods return at once."""

    @property
    def id(self) -> str:
        """The session's public name in addresses and events."""

    def push(self, media: Media) -> None:
        """Take a frame or a gap. Sampled pictures only: ask a `PictureSampler` before converting one."""

    def note_dropped(self, medium: Medium, amount: float) -> None:
        """Count what the adapter itself let go: pictures, or seconds of sound."""

    def note_pipeline(self, traits: Traits) -> None:
        """Take what is known by now of how the call's media are made."""

    def close(self, cause: str) -> None:
        """End the call; the second and later times do nothing."""

    def on_close(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once when the call ends, whoever ends it: the adapter then drops its connection."""


class CallDesk(Protocol):
    """Opens calls."""

    def open(self, *, source: str, name: str) -> CallSink:
        """Open a call that arrives by `source` ("whip", "websocket") under a name to show.

        Raises:
            ServiceFullError: As many calls run as may.
        """
