"""A real service in a process of its own, and Debian's Chromium with files as camera and microphone."""

import sys
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, FLAGS, Running, start_service, stop_service, write_y4m
from playwright.async_api import Browser, Playwright, async_playwright

from stream import demo

# Makers of events, and of a service with a stand-in for the detector.
sys.path[:0] = [str(Path(__file__).parents[1] / folder) for folder in ("contract", "unit/stream")]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for all tests of a run."""
    running = start_service(tmp_path_factory.mktemp("service"))
    yield running
    stop_service(running)


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of the genuine portrait, then fourteen of the forged one; Chromium plays it over and over."""
    portrait, rate_hz = demo.load_portrait(), 15
    pictures = (portrait.picture(i / rate_hz, forged=i >= 12 * rate_hz) for i in range(26 * rate_hz))
    return write_y4m(tmp_path_factory.mktemp("camera") / "face.y4m", pictures, rate_hz)


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of the genuine voice, then fourteen of the synthesised one, over and over like the camera."""
    genuine, forged = demo.load_voices()
    path = tmp_path_factory.mktemp("microphone") / "voice.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, demo.SOUND_HZ, 0, "NONE", "not compressed"))
        out.writeframes(np.resize(genuine, 12 * demo.SOUND_HZ).tobytes())
        out.writeframes(np.resize(forged, 14 * demo.SOUND_HZ).tobytes())
    return path


@pytest.fixture
async def playwright() -> AsyncIterator[Playwright]:
    if not CHROMIUM:
        pytest.fail("the browser tests need Chromium: apt-get install chromium")
    async with async_playwright() as running:
        yield running


@pytest.fixture
async def launch(playwright: Playwright) -> AsyncIterator[Callable[..., Awaitable[Browser]]]:
    """Start a browser, given a video file and a sound file to play as camera and microphone."""
    browsers: list[Browser] = []

    async def start(video: Path | None = None, sound: Path | None = None) -> Browser:
        flags = list(FLAGS)
        if video or sound:
            flags += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
            flags += [f"--use-file-for-fake-video-capture={video}"] if video else []
            flags += [f"--use-file-for-fake-audio-capture={sound}"] if sound else []
        browsers.append(await playwright.chromium.launch(executable_path=CHROMIUM, args=flags))
        return browsers[-1]

    yield start
    for browser in browsers:
        await browser.close()
