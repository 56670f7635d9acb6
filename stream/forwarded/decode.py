"""An untrusted file's frames, read from a process of its own. Blocking: run it in a thread."""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from stream.errors import MediaError
from stream.forwarded.frames import HEAD, MAX_PAYLOAD_BYTES, Said, decode

MAX_SECONDS = 600.0
"""Of a file that are looked at [s]."""
MAX_WALL_S = 900.0
"""For all of a file, however slowly it is read [s]; more for files of which more is looked at."""
MAX_CPU_S = 240.0
"""The decoder's own, likewise [s]."""
MAX_SILENCE_S = 30.0
"""A decoder that says nothing for so long hangs [s]."""
_KEPT = ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT", "LANG")


class Decoding:
    """The decoding of one file. Use it in a `with` block; at its end the process is gone.

    Args:
        path: Of the file.
        max_s: Of it that are looked at [s].
    """

    def __init__(self, path: Path, max_s: float = MAX_SECONDS) -> None:
        self._path = path = path.resolve()
        longer = max(max_s / MAX_SECONDS, 1.0)
        self._ends_s = time.monotonic() + MAX_WALL_S * longer
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        # Of the service's environment nothing else: it may hold a token.
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "stream.forwarded.worker",
                str(path),
                str(max_s),
                str(round(MAX_CPU_S * longer)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"},
            cwd=path.parent,
            start_new_session=True,
        )
        self._is_cancelled = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def cancel(self) -> None:
        """End it, from another thread."""
        self._is_cancelled.set()
        self._process.kill()

    def said(self) -> Iterator[Said]:
        """Yield what the process says.

        Raises:
            MediaError: The file cannot be read; the process died, hangs, or lies.
        """
        while head := self._read(HEAD.size):
            kind, length = HEAD.unpack(head)
            if length > MAX_PAYLOAD_BYTES:
                raise MediaError(f"{self._path.name}: its decoder said nonsense")
            payload = self._read(length)
            if len(payload) < length:
                break  # it died in the middle of a word
            yield decode(kind, payload)
        self._process.wait()
        if self._is_cancelled.is_set():
            raise MediaError("the check was stopped")
        if self._process.returncode:
            raise MediaError(f"{self._path.name}: it cannot be decoded within the limits of a check")

    def _read(self, n: int) -> bytes:
        """Return so many bytes; none at the end."""
        assert self._process.stdout is not None
        out, parts, got = self._process.stdout.fileno(), list[bytes](), 0
        while got < n:
            wait_s = min(MAX_SILENCE_S, self._ends_s - time.monotonic())
            if wait_s <= 0 or not select.select([out], [], [], wait_s)[0]:
                raise MediaError(f"{self._path.name}: its decoder hangs; it is damaged, or made to do so")
            part = os.read(out, min(n - got, 1 << 20))
            if not part:
                return b""
            parts.append(part)
            got += len(part)
        return b"".join(parts)
