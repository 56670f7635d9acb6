"""The demonstration call is alerted: the page shows face (once it is gone, an outline) and sound with heat maps."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from browser import Running, free_port, open_page, start_service, stop_service
from playwright.async_api import Browser, Page, expect

from stream import demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PAINTED = """canvas => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(data).size;
}"""
FITS = "() => document.documentElement.scrollWidth <= innerWidth"


@asynccontextmanager
async def demonstration(service: Running) -> AsyncIterator[None]:
    """Call as `make demo` does."""
    calling = asyncio.create_task(demo.call(service.url, token="", seconds=120, say=lambda _: None))
    try:
        yield
    finally:
        calling.cancel()
        with suppress(asyncio.CancelledError):
            await calling


async def open_alert(page: Page) -> None:
    """Wait for the alert and go to its details."""
    banner = page.get_by_test_id("alert-banner")
    await expect(banner).to_be_visible(timeout=60_000)
    await banner.get_by_role("link", name="Show details").click()


async def test_an_alerted_face_is_shown_with_its_heat_map_and_as_an_outline_once_it_is_gone(
    launch: Callable[..., Awaitable[Browser]], tmp_path: Path
) -> None:
    errors: list[str] = []
    port = free_port()
    service = start_service(tmp_path, port, KUA_KEEP_FACES="false")
    page = await open_page(await (await launch()).new_context(), service.url + "/viewer", errors)
    heat = page.get_by_test_id("face-heat")
    picture = heat.get_by_role("img")
    try:
        async with demonstration(service):
            await open_alert(page)
            await expect(heat).to_have_attribute("data-picture", "there", timeout=60_000)
            await see_the_overlay(page)
            await see_the_sound(page)
            assert errors == []
    finally:
        stop_service(service)
    service = start_service(tmp_path, port, KUA_KEEP_FACES="false")
    try:
        await page.reload()
        await expect(heat).to_have_attribute("data-picture", "gone", timeout=20_000)
        await expect(picture).to_have_accessible_name(
            "A drawn outline of a face with the heat map; " + await where(page)
        )
        await expect(heat.locator("svg.outline")).to_be_visible()
        await expect(heat.get_by_text("no longer held")).to_be_visible()
        await see_the_sound(page)
    finally:
        stop_service(service)


async def where(page: Page) -> str:
    """Return where the page says that the heat is."""
    text = await page.get_by_test_id("heat-where").inner_text()
    return text.split(": ", 1)[1]


async def see_the_overlay(page: Page) -> None:
    heat = page.get_by_test_id("face-heat")
    face, overlay = heat.locator("canvas.face"), heat.locator("canvas.map")
    assert await face.evaluate(PAINTED) > 50
    assert await overlay.evaluate(PAINTED) >= 4
    await expect(heat.get_by_role("img")).to_have_accessible_name("The face with its heat map; " + await where(page))
    await expect(heat.get_by_text("no proof")).to_be_visible()
    await expect(heat.get_by_text("in the service's memory only")).to_be_visible()

    toggle = heat.get_by_role("checkbox", name="Show the heat map")
    await expect(overlay).to_have_css("opacity", "1")
    await toggle.focus()
    await page.keyboard.press("Space")
    await expect(overlay).to_have_css("opacity", "0")
    await page.keyboard.press("Space")
    await expect(overlay).to_have_css("opacity", "1")

    await page.set_viewport_size({"width": 360, "height": 740})
    assert await page.evaluate(FITS)
    await expect(face).to_be_visible()


async def see_the_sound(page: Page) -> None:
    """See when the voice is most suspicious: in a picture, in words, and on a phone."""
    card = page.get_by_test_id("voice-spectrum")
    await expect(card).to_be_visible(timeout=60_000)
    said = await card.get_by_test_id("voice-where").inner_text()
    assert re.fullmatch(r"Most suspicious: 0:\d\d\.\d.0:\d\d\.\d.*\.", said)
    await expect(card.get_by_role("img")).to_have_accessible_name(re.compile(re.escape(said)))
    sound, evidence = card.locator("canvas").first, card.locator("canvas.map")
    assert await sound.evaluate(PAINTED) > 20
    assert await evidence.evaluate(PAINTED) > 50
    toggle = card.get_by_role("checkbox", name="Show the suspicious places")
    await toggle.uncheck()
    await expect(evidence).to_have_css("opacity", "0")
    await toggle.check()
    await expect(card.get_by_text("no proof")).to_be_visible()
    assert await page.evaluate(FITS)
