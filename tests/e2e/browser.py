"""A real service in a process of its own, and Debian's Chromium with files as camera and microphone."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page

from models.window import Pixels

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or ""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)


@dataclass(frozen=True, slots=True)
class Running:
    """A service that runs."""

    url: str
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def start_service(folder: Path, port: int | None = None, **settings: str) -> Running:
    """Start the service and wait until it answers."""
    port = port or free_port()
    environment = os.environ | {"KUA_DATA_DIR": str(folder), "KUA_PORT": str(port)} | settings
    with (folder / "service.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "stream", "serve"], env=environment, stdout=log, stderr=log, cwd=ROOT
        )
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Running(f"http://127.0.0.1:{port}", process)
        time.sleep(0.1)
    process.kill()
    pytest.fail(f"the service did not start:\n{(folder / 'service.log').read_text()}")


def stop_service(running: Running) -> None:
    """Stop the service as an operator would."""
    running.process.terminate()
    try:
        running.process.wait(20)
    except subprocess.TimeoutExpired:
        running.process.kill()
        raise


def write_y4m(path: Path, pictures: Iterator[Pixels], rate_hz: int) -> Path:
    """Write pictures as the raw video that Chromium takes for a camera."""
    with path.open("wb") as out:
        for i, rgb in enumerate(pictures):
            if i == 0:
                out.write(f"YUV4MPEG2 W{rgb.shape[1]} H{rgb.shape[0]} F{rate_hz}:1 Ip A1:1 C420\n".encode())
            out.write(b"FRAME\n" + np.ascontiguousarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)).tobytes())
    return path


async def open_page(context: BrowserContext, url: str, errors: list[str]) -> Page:
    """Open a page and collect what its console complains of."""
    page = await context.new_page()

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            errors.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(url)
    return page
