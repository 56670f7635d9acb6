"""A pair of the same scene, genuine and swapped by the real-time tool that attackers use, as two calls of a browser."""

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import av
import pytest
from browser import Running, open_page, write_y4m
from playwright.async_api import Browser, expect

from models.window import Pixels

FACES = Path(__file__).parents[3] / "shared" / "data" / "face"
SOURCE = "iperov/DeepFaceLive"

pytestmark = [pytest.mark.browser, pytest.mark.shared_data, pytest.mark.timeout(180)]


def pair() -> dict[str, Path]:
    """Return the first scene of which both halves are there, by label."""
    with (FACES / "manifest.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["source"] == SOURCE]
    for spoof in (row for row in rows if row["label"] == "spoof"):
        for row in rows:
            if row["label"] == "bona_fide" and row["path"] == spoof["path"]:
                return {"bona_fide": FACES / row["file"], "spoof": FACES / spoof["file"]}
    raise AssertionError(f"no pair of {SOURCE} in the manifest")


def pictures(clip: Path) -> Iterator[Pixels]:
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")  # type: ignore[misc]  # uint8 for rgb24


async def face_llrs(service: Running, browser: Browser, name: str, seconds: float) -> list[float]:
    """Call with the browser's camera for a while; return the llr of every judged face window."""
    errors: list[str] = []
    context = await browser.new_context(permissions=["camera", "microphone"])
    page = await open_page(context, service.url, errors)
    await page.get_by_label("Name of the call").fill(name)
    await page.get_by_test_id("start-camera").click()
    await expect(page.get_by_test_id("stop")).to_be_visible(timeout=15_000)
    await asyncio.sleep(seconds)
    await page.get_by_test_id("stop").click()
    assert errors == []
    calls = (await (await page.request.get(f"{service.url}/v1/sessions")).json())["sessions"]
    session = next(call["session"] for call in calls if call["name"] == name)
    timeline = await (await page.request.get(f"{service.url}/v1/sessions/{session}/timeline")).json()
    signals = (signal for reading in timeline["readings"] for signal in reading["signals"])
    return [signal["llr"] for signal in signals if signal["signal"] == "face" and signal["llr"] is not None]


@pytest.mark.skipif(not FACES.is_dir(), reason="the shared face clips are not beside this checkout")
async def test_both_halves_are_judged_and_their_scores_reported(
    service: Running,
    launch: Callable[..., Awaitable[Browser]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    means = {}
    for label, clip in pair().items():
        camera = write_y4m(tmp_path / f"{label}.y4m", pictures(clip), rate_hz=25)
        llrs = await face_llrs(service, await launch(video=camera), f"DeepFaceLive {label}", seconds=12)
        assert len(llrs) >= 8, label
        means[label] = round(sum(llrs) / len(llrs), 2)
    with capsys.disabled():
        print(f"\nDeepFaceLive pair through a browser, mean face llr: {json.dumps(means)}")
