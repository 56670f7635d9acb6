"""Pictures of alerted faces. They are personal data: held in memory only, unless the operator keeps them for some days.

A kept picture is a file of its own, readable by the service's user alone, and is deleted by the service when its days
are over. What cannot be written (a full disk) is held in memory like the others.
"""

import asyncio
import contextlib
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import cv2
import structlog

from models.window import Pixels

log = structlog.get_logger()

DAY_S = 86_400.0
SWEEP_S = 600.0
"""How often pictures whose days are over are deleted [s]."""
MAX_HELD = 20
"""Pictures of one call that are held in memory; then its oldest goes."""
JPEG_QUALITY = 92
"""A crop of 224 px is then about 20 kB."""
_PART_S = 60.0
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Faces:
    """The picture of each alert whose face was explained, by call and alert.

    Args:
        folder: Where pictures are kept; made when the first is written.
        keep_days: How long a picture stays on disk [d]; 0: none is ever written.
        now: Seconds since the epoch, as the file system counts them.
    """

    def __init__(self, folder: Path, keep_days: float, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._keep_s = keep_days * DAY_S
        self._now = now
        self._held: dict[str, OrderedDict[str, bytes]] = {}
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Delete what is too old, now and from time to time."""
        await asyncio.to_thread(self.sweep)
        self._sweeping = asyncio.create_task(self._sweep_on(), name="faces")

    async def close(self) -> None:
        """Stop deleting."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)

    async def keep(self, session: str, alert: str, pixels: Pixels) -> None:
        """Keep the newest picture of an alert, on disk if the operator wants it and the disk takes it.

        Args:
            session: Id of the call.
            alert: Id of the alert.
            pixels: RGB, shape (H, W, 3).
        """
        jpeg = await asyncio.to_thread(_jpeg, pixels)
        held = self._held.setdefault(session, OrderedDict())
        held[alert] = jpeg
        held.move_to_end(alert)
        if len(held) > MAX_HELD:
            held.popitem(last=False)
        if not self._keep_s:
            return
        try:
            await asyncio.to_thread(self._write, self._path(session, alert), jpeg)
        except OSError as exc:
            log.error("cannot keep the picture of a face; it is in memory only", session=session, error=str(exc))
        else:
            held.pop(alert, None)  # its days are counted on disk alone

    async def get(self, session: str, alert: str) -> bytes | None:
        """Return the picture of an alert as JPEG; None if it never was, or is no longer there."""
        held = self._held.get(session, OrderedDict()).get(alert)
        if held is not None or not (self._keep_s and _ID.fullmatch(session) and _ID.fullmatch(alert)):
            return held
        return await asyncio.to_thread(self._read, self._path(session, alert))

    def forget(self, session: str) -> None:
        """Let go of what is held in memory of a call."""
        self._held.pop(session, None)

    def sweep(self) -> None:
        """Delete what is too old, all of it where nothing is to be kept, and what a crash left half written."""
        for path in (*self._folder.glob("*.jpg"), *self._folder.glob("*.part")):
            limit_s = self._keep_s if path.suffix == ".jpg" else _PART_S
            try:
                if not self._keep_s or self._age_s(path) > limit_s:
                    path.unlink()
            except FileNotFoundError:
                continue
            except OSError as exc:
                log.error("cannot delete the picture of a face", file=path.name, error=str(exc))

    async def _sweep_on(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            await asyncio.to_thread(self.sweep)

    def _path(self, session: str, alert: str) -> Path:
        return self._folder / f"{session}.{alert}.jpg"

    def _age_s(self, path: Path) -> float:
        return self._now() - path.stat().st_mtime

    def _read(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes() if self._age_s(path) <= self._keep_s else None
        except FileNotFoundError:
            return None
        except OSError as exc:
            log.error("cannot read the picture of a face", file=path.name, error=str(exc))
            return None

    def _write(self, path: Path, jpeg: bytes) -> None:
        """Write the whole picture or nothing, for the service's user alone."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                out.write(jpeg)
                out.flush()
                os.fsync(out.fileno())
            part.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def _jpeg(pixels: Pixels) -> bytes:
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    encoded: bytes = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
    return encoded
