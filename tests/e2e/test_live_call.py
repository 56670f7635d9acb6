"""A browser's call in, an alert on another browser's page out; and what happens around it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from browser import Running, open_page
from playwright.async_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

Launch = Callable[..., Awaitable[Browser]]


async def start_call(page: Page, name: str) -> None:
    await page.get_by_label(re.compile("name", re.IGNORECASE)).fill(name)
    await page.get_by_test_id("start-camera").click()


async def test_an_alert_reaches_the_viewer_is_cleared_and_the_call_ends(
    service: Running, camera: Path, microphone: Path, launch: Launch
) -> None:
    errors: list[str] = []
    caller = await (await launch(camera, microphone)).new_context(permissions=["camera", "microphone"])
    viewer = await (await launch()).new_context()
    watching = await open_page(viewer, service.url + "/viewer", errors)
    calling = await open_page(caller, service.url, errors)
    await start_call(calling, "First call")

    state = calling.get_by_test_id("state")
    await expect(state).to_have_attribute("data-state", "bona_fide", timeout=20_000)
    seen = watching.get_by_test_id("call-card").filter(has_text="First call")
    await expect(seen).to_have_attribute("data-state", re.compile("bona_fide|suspect|spoof"), timeout=2_000)

    await expect(state).to_have_attribute("data-state", "spoof", timeout=40_000)
    await expect(seen).to_have_attribute("data-state", "spoof", timeout=1_500)
    await expect(watching.get_by_test_id("alert-banner")).to_contain_text("First call")
    await expect(watching.get_by_test_id("alert-banner")).to_contain_text(re.compile("machine-made", re.IGNORECASE))

    await watching.reload()
    await expect(seen).to_have_attribute("data-state", "spoof", timeout=3_000)

    await expect(seen).to_have_attribute("data-state", "bona_fide", timeout=40_000)

    await calling.get_by_test_id("stop").click()
    await expect(seen).to_contain_text(re.compile("ended", re.IGNORECASE), timeout=5_000)
    assert errors == []


async def test_a_peer_that_vanishes_ends_its_own_call_alone(service: Running, camera: Path, launch: Launch) -> None:
    errors: list[str] = []
    watching = await open_page(await (await launch()).new_context(), service.url + "/viewer", errors)
    browsers = [await launch(video=camera) for _ in range(2)]
    for i, browser in enumerate(browsers):
        page = await open_page(await browser.new_context(permissions=["camera", "microphone"]), service.url, errors)
        await start_call(page, f"Peer {i}")
        await expect(page.get_by_test_id("state")).to_be_visible(timeout=10_000)
    cards = [watching.get_by_test_id("call-card").filter(has_text=f"Peer {i}") for i in range(2)]
    for found in cards:
        await expect(found).to_be_visible(timeout=10_000)
    await browsers[0].close()
    await expect(cards[0]).to_contain_text(re.compile("ended", re.IGNORECASE), timeout=30_000)
    await asyncio.sleep(1)
    await expect(cards[1]).not_to_contain_text(re.compile("ended", re.IGNORECASE))
    assert errors == []
