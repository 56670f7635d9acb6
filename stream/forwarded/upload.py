"""A stranger's file on its way to the disk: bounded, and readable by the service alone."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from stream.errors import MediaError


class TooLargeError(MediaError):
    """An upload has more bytes than are taken."""


async def receive(path: Path, parts: AsyncIterator[bytes], max_bytes: int) -> None:
    """Write an upload; of one that fails nothing stays.

    Args:
        path: Of the new file.
        parts: Its bytes.
        max_bytes: Of the whole.

    Raises:
        TooLargeError: It has too many bytes.
        OSError: It cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    n_bytes = 0
    with ExitStack() as undo, await asyncio.to_thread(_create, path) as out:
        undo.callback(path.unlink, missing_ok=True)
        async for part in parts:
            n_bytes += len(part)
            if n_bytes > max_bytes:
                raise TooLargeError(f"the file has more than {max_bytes // 1_000_000} MB")
            await asyncio.to_thread(out.write, part)
        await asyncio.to_thread(out.flush)  # what does not fit on the disk is noticed before it is kept
        undo.pop_all()


def _create(path: Path) -> BinaryIO:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
