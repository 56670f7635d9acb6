"""A customer joins by a link from a phone's browser; the agent sees, hears and is heard, is alerted, and hands over."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from browser import Running, free_port, open_page, start_service, stop_service
from playwright.async_api import Browser, Page, Request, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

Launch = Callable[..., Awaitable[Browser]]
PLAYS = "video => video.videoWidth > 0 && !video.paused && video.currentTime > 0"
LOUD = """async () => {
    const element = document.querySelector("[data-testid=remote-video], audio");
    const stream = element.srcObject;
    const context = new AudioContext();
    await context.resume();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    for (let i = 0; i < 100; i++) {
        analyser.getFloatTimeDomainData(samples);
        if (samples.some((value) => Math.abs(value) > 0.01)) return true;
        await new Promise((done) => setTimeout(done, 100));
    }
    return false;
}"""


async def token(service: Running, root: str, name: str, role: str) -> str:
    headers = {"Authorization": f"Bearer {root}"}
    async with httpx.AsyncClient(base_url=service.url, headers=headers) as client:
        reply = await client.post("/v1/tokens", json={"name": name, "role": role})
        secret: str = reply.json()["secret"]
        return secret


async def invite(page: Page, name: str) -> str:
    form = page.get_by_test_id("invite-form")
    await form.get_by_label(re.compile("name", re.IGNORECASE)).fill(name)
    await form.get_by_role("button").last.click()
    link = page.get_by_test_id("invite-link")
    await expect(link).to_be_visible(timeout=5_000)
    found: str = await link.evaluate("node => node.value ?? node.querySelector('input')?.value ?? node.textContent")
    return found.strip()


async def test_a_customer_joins_by_a_link_and_the_agent_sees_hears_and_hands_over(
    launch: Launch, camera: Path, microphone: Path, tmp_path: Path
) -> None:
    errors: list[str] = []
    service = start_service(tmp_path, KUA_TOKEN="root")
    try:
        secret = await token(service, "root", "Dana", "agent")
        desk = await (await launch(sound=microphone)).new_context(permissions=["microphone"])
        agent = await open_page(desk, f"{service.url}/console#token={secret}", errors)
        link = await invite(agent, "Customer 4711")
        assert link.startswith(f"{service.url}/join#kin_")

        phone = await (await launch(camera, microphone)).new_context(
            permissions=["camera", "microphone"], viewport={"width": 390, "height": 844}, locale="kk-KZ"
        )
        asked: list[str] = []
        customer = await open_page(phone, link, errors)
        customer.on("request", lambda request: asked.append(path_of(request)))
        assert "kin_" not in customer.url
        assert await customer.evaluate("document.documentElement.lang") == "kk"
        await customer.get_by_test_id("join").click()
        await expect(customer.get_by_test_id("own-video")).to_be_visible(timeout=10_000)

        live = agent.get_by_test_id("live-video")
        await expect(live).to_be_visible(timeout=15_000)
        await agent.wait_for_function(f"() => ({PLAYS})(document.querySelector('[data-testid=live-video]'))")
        await agent.get_by_test_id("talk").click()
        assert await customer.evaluate(LOUD), "the customer hears the agent"

        light = agent.locator("[data-testid=check-start][data-kind=light]")
        if not await light.is_visible():
            await agent.get_by_test_id("active-checks").locator("summary").click()
        await light.click()
        await expect(agent.get_by_test_id("check-say")).to_contain_text("colours")
        await expect(customer.get_by_test_id("light")).to_be_visible(timeout=3_000)
        result = agent.get_by_test_id("check-result")
        await expect(result).to_have_attribute("data-kind", "light", timeout=25_000)
        await expect(result).to_have_attribute("data-outcome", "not_followed")
        await expect(customer.get_by_test_id("light")).to_have_count(0)

        state = agent.get_by_test_id("console-state")
        await expect(state).to_have_attribute("data-state", "spoof", timeout=60_000)
        hand_over = agent.get_by_test_id("hand-over")
        await agent.get_by_test_id("desk-box").locator("textarea").fill("He does not know his own street")
        await hand_over.click()
        await expect(agent.get_by_test_id("handed-over")).to_be_visible(timeout=5_000)
        headers = {"Authorization": "Bearer root"}
        async with httpx.AsyncClient(base_url=service.url, headers=headers) as client:
            (case, *_) = (await client.get("/v1/cases")).json()["cases"]
            assert (case["is_handed_over"], case["notes"], case["name"]) == (True, 1, "Customer 4711")
        await customer.get_by_test_id("leave").click()
        await expect(agent.get_by_text(re.compile("ended", re.IGNORECASE)).first).to_be_visible(timeout=10_000)
        allowed = re.compile(r"/(join|whip|whip/[\w-]+|v1/join|assets/.*|favicon.*)?$")
        assert [path for path in asked if not allowed.fullmatch(path)] == [], (
            "the customer's page asks for nothing else"
        )
        assert errors == []
    finally:
        stop_service(service)


def path_of(request: Request) -> str:
    return "/" + request.url.split("/", 3)[3].split("?")[0].split("#")[0]


async def test_only_pages_of_allowed_origins_can_frame_the_console_and_they_are_told_of_its_state(
    launch: Launch, tmp_path: Path
) -> None:
    desk_port = free_port()
    allowed, other = f"http://127.0.0.1:{desk_port}", f"http://localhost:{desk_port}"
    service = start_service(tmp_path, KUA_TOKEN="root", KUA_EMBED_ORIGINS=f'["{allowed}"]')
    html = f"""<!doctype html><title>Desktop</title><iframe src="{service.url}/console" width=420 height=800></iframe>
        <script>
        window.heard = [];
        const frame = document.querySelector("iframe");
        addEventListener("message", (event) => {{
            if (event.source !== frame.contentWindow) return;
            heard.push(event.data);
            const tell = (message) => frame.contentWindow.postMessage({{ kua: 1, ...message }}, "{service.url}");
            if (heard.length === 1) {{
                tell({{ type: "hello" }});
                tell({{ type: "token", token: "root" }});
                tell({{ type: "invite", name: "Customer 4711" }});
            }}
        }});
        </script>"""

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = html.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(page, "127.0.0.1", desk_port)
    try:
        browser = await launch()
        good = await (await browser.new_context()).new_page()
        await good.goto(allowed)
        await good.wait_for_function("() => heard.some((message) => message.type === 'invited')", timeout=15_000)
        invited = await good.evaluate("heard.find((message) => message.type === 'invited').url")
        assert "/join#kin_" in invited
        bad = await (await browser.new_context()).new_page()
        refused: list[str] = []
        bad.on("console", lambda message: refused.append(message.text))
        await bad.goto(other)
        await asyncio.sleep(3)
        assert await bad.evaluate("heard") == []
        assert any("frame-ancestors" in text or "refused to connect" in text.lower() for text in refused), refused
    finally:
        server.close()
        stop_service(service)
