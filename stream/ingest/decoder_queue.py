"""Encoded frames on their way to aiortc's decoder thread: bounded, and with a key frame first after a loss."""

import queue
import threading
from collections.abc import Callable
from typing import Any

from stream.events import Medium

# Encoded frames before the decoder thread: a second of pictures, two of sound.
MAX_ENCODED = {Medium.VIDEO: 30, Medium.AUDIO: 100}
# Ask for a key frame again after so many pictures that were dropped for want of one.
KEY_FRAME_EVERY = 30


class DecoderQueue(queue.Queue[Any]):
    """Between the event loop and the decoder thread: (codec, encoded frame), or None to stop.

    When it is full everything goes, and of pictures all up to the next key frame, for the ones between would be
    decoded onto a wrong picture: bad evidence. `error` is what makes aiortc ask the sender for a key frame.

    Args:
        medium: What is decoded.
        error: Set when a key frame is needed.
    """

    def __init__(self, medium: Medium, error: threading.Event) -> None:
        super().__init__()
        self._medium = medium
        self._error = error
        self._n_unusable = 0
        self._needs_key = False
        self.n_dropped = 0
        self.n_bytes = 0
        """Of all that came."""
        self.on_key: Callable[[], None] | None = None
        """Called with each key frame that comes; costs a look at every frame."""

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add a frame; `None` goes first, so that a thread that is behind ends at once."""
        if item is not None:
            self.n_bytes += len(item[1].data)
            if self.on_key is not None and is_key_frame(item[0].name, item[1].data):
                self.on_key()
        if item is None:
            self._drop_all()
        elif self.qsize() >= MAX_ENCODED[self._medium]:
            self._drop_all()
            self._needs_key = self._medium is Medium.VIDEO
            self._n_unusable = 0
        if item is not None and self._needs_key and not self._is_key(item):
            return
        self._needs_key = False
        super().put(item, block, timeout)

    def ask_key(self) -> None:
        """Have aiortc ask the sender for a key frame, with the next packet that comes."""
        self._error.set()

    def _is_key(self, item: Any) -> bool:
        codec, frame = item
        if is_key_frame(codec.name, frame.data):
            return True
        if self._n_unusable % KEY_FRAME_EVERY == 0:
            self._error.set()
        self._n_unusable += 1
        self.n_dropped += 1
        return False

    def _drop_all(self) -> None:
        try:
            while True:
                self.get_nowait()
                self.n_dropped += 1
        except queue.Empty:
            pass


def is_key_frame(codec: str, data: bytes) -> bool:
    """Whether an encoded picture needs none before it.

    Source:
        RFC 6386 section 9.1 (VP8: lowest bit of the first byte is 0); RFC 6184 section 5.2 (H.264: NAL unit type 5).
    """
    if codec.upper() == "VP8":
        return bool(data) and not data[0] & 1
    return any(unit[:1] and unit[0] & 0x1F == 5 for unit in data.split(b"\x00\x00\x01")[1:])
