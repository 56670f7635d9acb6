"""A forwarded clip on the page: chosen or shared, answered in the reader's language, facts apart from estimates."""

from collections.abc import Awaitable, Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import pytest
from browser import Running, open_page
from playwright.async_api import Browser, expect

from stream import demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

Launch = Callable[..., Awaitable[Browser]]


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of the genuine portrait, then twelve of the forged one, as a messenger would forward it."""
    portrait, rate_hz = demo.load_portrait(), 10
    path = tmp_path_factory.mktemp("clip") / "minister.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate_hz)
        stream.width, stream.height, stream.pix_fmt = demo.WIDTH_PX, demo.HEIGHT_PX, "yuv420p"
        for i in range(24 * rate_hz):
            pixels = portrait.picture(i / rate_hz, forged=i >= 12 * rate_hz)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, rate_hz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


async def test_a_clip_with_the_mark_of_a_generator_is_named_as_a_fact(
    service: Running, launch: Launch, tmp_path: Path
) -> None:
    portrait, path = demo.load_portrait(), tmp_path / "sora.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = demo.WIDTH_PX, demo.HEIGHT_PX, "yuv420p"
        for i in range(100):
            pixels = portrait.picture(i / 10, forged=False)
            place = (430, 120) if i // 30 % 2 else (30, 400)
            cv2.putText(pixels, "Sora", place, cv2.FONT_HERSHEY_DUPLEX, 1.4, (255, 255, 255), 3, cv2.LINE_AA)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    page = await open_page(await (await launch()).new_context(), service.url, [])
    await page.get_by_test_id("start-clip").click()
    await page.get_by_test_id("clip-file").set_input_files(path)
    answer = page.get_by_test_id("clip-answer")
    await expect(answer).to_have_attribute("data-state", "spoof", timeout=60_000)
    await expect(page.get_by_test_id("clip-mark")).to_have_attribute("data-generator", "Sora")
    await expect(answer.get_by_role("heading", level=2)).to_contain_text("The pictures carry the mark of Sora")


@pytest.mark.parametrize(
    ("locale", "headline", "note"),
    [
        ("en-GB", "Machine-made face or voice likely", "not legal advice"),
        ("ru-RU", "Лицо или голос, вероятно, созданы машиной", "не юридическая консультация"),
        ("kk-KZ", "Бет немесе дауыс машинамен жасалған болуы ықтимал", "заң кеңесі емес"),
    ],
)
async def test_a_forged_clip_is_answered_in_the_readers_language(
    service: Running, launch: Launch, forged: Path, locale: str, headline: str, note: str
) -> None:
    errors: list[str] = []
    context = await (await launch()).new_context(locale=locale, viewport={"width": 390, "height": 844})
    page = await open_page(context, service.url + "/clip", errors)
    await page.get_by_test_id("clip-file").set_input_files(forged)
    answer = page.get_by_test_id("clip-answer")
    await expect(answer).to_have_attribute("data-state", "spoof", timeout=60_000)
    await expect(answer.get_by_role("heading", level=2)).to_have_text(headline)
    await expect(answer).to_have_attribute("data-fact", "absent")
    await expect(page.get_by_test_id("forward")).to_contain_text(note)
    assert await page.locator("[data-status=disputed]").count() == 1
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.get_by_test_id("another").click()
    await expect(page.get_by_test_id("clip-file")).to_be_attached()
    assert errors == []


async def test_a_clip_that_another_app_shares_is_checked_at_once(
    service: Running, launch: Launch, forged: Path
) -> None:
    page = await open_page(await (await launch()).new_context(), service.url + "/clip", [])
    await page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    await page.reload()
    await page.evaluate(
        """() => {
            const form = document.createElement("form");
            Object.assign(form, { action: "/share", method: "post", enctype: "multipart/form-data", id: "sharing" });
            form.append(Object.assign(document.createElement("input"), { type: "file", name: "clip", id: "shared" }));
            document.body.append(form);
        }"""
    )
    await page.locator("#shared").set_input_files(forged)
    await page.evaluate("document.getElementById('sharing').submit()")
    await page.wait_for_url("**/clip?shared=1")
    await expect(page.get_by_test_id("clip-answer")).to_have_attribute("data-state", "spoof", timeout=60_000)


async def test_what_cannot_be_read_is_said_in_a_sentence(service: Running, launch: Launch, tmp_path: Path) -> None:
    path = tmp_path / "letter.mp4"
    path.write_text("hello")
    page = await open_page(await (await launch()).new_context(), service.url + "/clip", [])
    await page.get_by_test_id("clip-file").set_input_files(path)
    await expect(page.get_by_test_id("error")).to_contain_text("letter.mp4: not a sound, picture or video file")
