"""An active check on a phone's screen: proposed, said, counted down, judged, told; axe finds nothing."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from browser import ROOT, Running, open_page
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

Launch = Callable[..., Awaitable[Browser]]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"


async def test_a_check_is_asked_and_its_result_is_there_in_time(service: Running, camera: Path, launch: Launch) -> None:
    errors: list[str] = []
    context = await (await launch(video=camera)).new_context(
        permissions=["camera", "microphone"], viewport={"width": 390, "height": 844}, locale="kk-KZ"
    )
    page = await open_page(context, service.url, errors)
    await page.get_by_test_id("start-camera").click()
    checks = page.get_by_test_id("active-checks")
    cover = checks.locator("[data-testid=check-start][data-kind=cover]")
    await expect(checks.get_by_test_id("check-start").first).to_be_attached(timeout=20_000)
    await asyncio.sleep(6)
    if not await cover.is_visible():
        await checks.locator("summary").click()
    asked_s = time.monotonic()
    await cover.click()
    await expect(checks.get_by_test_id("check-say")).to_contain_text("Қолыңызды бүкіл бетіңіздің алдынан")
    await expect(checks.get_by_test_id("check-left")).to_have_text(re.compile(r"^\d+ .+ қалды$"))
    result = checks.get_by_test_id("check-result")
    await expect(result).to_have_attribute("data-outcome", "not_followed", timeout=30_000)
    took_s = time.monotonic() - asked_s
    await expect(result).to_contain_text("жасандылық белгісі емес")
    assert took_s < 15
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    await page.evaluate(await asyncio.to_thread(AXE.read_text))
    report = await page.evaluate("axe.run()")
    assert [p["id"] for p in report["violations"] if p["impact"] in ("serious", "critical")] == []
    assert errors == []
