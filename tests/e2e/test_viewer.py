"""A viewer's page through the troubles of a line: no WebSocket, a killed service, a service that wants a token."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import websockets
from browser import Running, free_port, open_page, start_service, stop_service
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

Launch = Callable[..., Awaitable[Browser]]


@asynccontextmanager
async def running_call(service: Running, name: str) -> AsyncIterator[None]:
    """A call that says nothing yet."""
    sound = {"codec": "pcm_s16le", "rate_hz": 16_000, "channels": 1}
    async with websockets.connect(service.url.replace("http", "ws") + "/v1/ingest") as call:
        await call.send(json.dumps({"type": "hello", "version": 1, "name": name, "audio": sound}))
        assert json.loads(await call.recv())["type"] == "welcome"
        yield


async def test_without_websockets_events_come_as_server_sent_events(service: Running, launch: Launch) -> None:
    context = await (await launch()).new_context()
    await context.route_web_socket("**/v1/alerts**", lambda socket: socket.close())
    page = await open_page(context, service.url + "/viewer", [])
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-status", "live", timeout=20_000)
    async with running_call(service, "By events"):
        card = page.get_by_test_id("call-card").filter(has_text="By events")
        await expect(card).to_be_visible(timeout=2_000)


async def test_a_killed_service_is_found_again_and_what_it_was_doing_is_ended(launch: Launch, tmp_path: Path) -> None:
    port = free_port()
    service = start_service(tmp_path, port)
    page = await open_page(await (await launch()).new_context(), service.url + "/viewer", [])
    connection = page.get_by_test_id("connection")
    await expect(connection).to_have_attribute("data-status", "live", timeout=10_000)
    async with running_call(service, "Cut short"):
        card = page.get_by_test_id("call-card").filter(has_text="Cut short")
        await expect(card).to_be_visible(timeout=2_000)
        service.process.kill()
        service.process.wait()
    await expect(connection).not_to_have_attribute("data-status", "live", timeout=10_000)
    service = start_service(tmp_path, port)
    try:
        await expect(connection).to_have_attribute("data-status", "live", timeout=40_000)
        await expect(card).to_contain_text("ended", ignore_case=True, timeout=5_000)
    finally:
        stop_service(service)


async def test_a_service_with_a_token_asks_for_it_once(launch: Launch, tmp_path: Path) -> None:
    service = start_service(tmp_path, KUA_TOKEN="open sesame")
    try:
        page = await open_page(await (await launch()).new_context(), service.url + "/viewer", [])
        form = page.get_by_test_id("token-form")
        await expect(form).to_be_visible(timeout=10_000)
        await form.get_by_role("textbox").fill("wrong")
        await form.get_by_role("button").click()
        await expect(form).to_be_visible()
        await form.get_by_role("textbox").fill("open sesame")
        await form.get_by_role("button").click()
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-status", "live", timeout=10_000)
        await page.reload()
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-status", "live", timeout=10_000)
    finally:
        stop_service(service)
