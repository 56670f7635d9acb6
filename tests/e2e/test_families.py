"""A family's way through a call: a tab with its sound, the right face, a known person, and ways that need no model."""

import functools
import http.server
import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from browser import CHROMIUM, FLAGS, Running, open_page
from playwright.async_api import Browser, BrowserContext, Page, Playwright, expect

from models.window import Pixels
from stream import demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

Launch = Callable[..., Awaitable[Browser]]

RATE_HZ, SECONDS = 12, 16
CALL = "A call in a messenger"
PAGE = f"""<!doctype html><title>{CALL}</title><body style="margin:0;background:#222">
<video src="call.webm" autoplay loop style="width:100vw"></video>"""


def screen(portrait: demo.Portrait, time_s: float) -> Pixels:
    """Return a messenger's window: the other side, one's own preview, and a picture beside a chat."""
    remote = portrait.picture(time_s, forged=False)
    window = np.full((540, 960, 3), 40, np.uint8)
    window[30:510, 20:660] = remote[:480, :640]
    own = portrait.picture(time_s * 1.3 + 7, forged=False)[:, ::-1]
    window[300:510, 670:950] = cv2.resize(own, (280, 210), interpolation=cv2.INTER_AREA)
    return window


@pytest.fixture(scope="module")
def messenger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page that plays such a call with its sound."""
    folder, portrait, (genuine, _) = tmp_path_factory.mktemp("messenger"), demo.load_portrait(), demo.load_voices()
    with av.open(str(folder / "call.webm"), "w") as out:
        video = out.add_stream("libvpx", rate=RATE_HZ, options={"deadline": "realtime", "cpu-used": "8", "b": "3M"})
        video.width, video.height, video.pix_fmt = 960, 540, "yuv420p"
        audio = out.add_stream("libopus", rate=demo.SOUND_HZ, layout="mono")
        for i in range(RATE_HZ * SECONDS):
            picture = av.VideoFrame.from_ndarray(screen(portrait, i / RATE_HZ), format="rgb24")
            picture.pts, picture.time_base = i, Fraction(1, RATE_HZ)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        sound = np.resize(genuine, SECONDS * demo.SOUND_HZ).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.sample_rate = demo.SOUND_HZ
        out.mux([*audio.encode(frame), *audio.encode(None)])
    (folder / "index.html").write_text(PAGE)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


async def tabs(playwright: Playwright, profile: Path, title: str) -> BrowserContext:
    """Start a browser whose dialog for sharing always picks the tab of a title, with sound that is not muted.

    It has a profile: in a private window Chromium tells nothing of what a captured tab is.
    """
    return await playwright.chromium.launch_persistent_context(
        profile,
        executable_path=CHROMIUM,
        args=[*FLAGS, f"--auto-select-tab-capture-source-by-title={title}"],
        ignore_default_args=["--mute-audio"],
        viewport={"width": 1280, "height": 800},
    )


async def test_a_tab_is_checked_with_its_sound_after_one_tap_and_the_right_face_is_tapped(
    service: Running, messenger: str, playwright: Playwright, tmp_path: Path
) -> None:
    errors: list[str] = []
    context = await tabs(playwright, tmp_path, CALL)
    try:
        await open_page(context, messenger, [])
        page = await open_page(context, service.url, errors)
        await page.get_by_test_id("start-tab").click()
        faces = page.get_by_test_id("face")
        await expect(faces).to_have_count(2, timeout=20_000)
        widths = [
            float((await face.evaluate("face => face.style.width")).removesuffix("%")) for face in await faces.all()
        ]
        assert widths[0] > widths[1]
        await expect(faces.nth(0)).to_have_attribute("aria-pressed", "true")
        await expect(page.get_by_test_id("state")).to_have_attribute(
            "data-state", re.compile("bona_fide|suspect|spoof"), timeout=30_000
        )
        await expect(page.get_by_test_id("coverage")).to_contain_text(
            re.compile(r"[1-9]\d* s of speech"), timeout=20_000
        )
        await faces.nth(1).click()
        await expect(faces.nth(1)).to_have_attribute("aria-pressed", "true", timeout=5_000)
        await expect(faces.nth(0)).to_have_attribute("aria-pressed", "false")
        await page.get_by_test_id("stop").click()
    finally:
        await context.close()
    assert errors == []


async def test_our_own_page_is_not_taken_for_a_call(service: Running, playwright: Playwright, tmp_path: Path) -> None:
    context = await tabs(playwright, tmp_path, "All calls")
    try:
        await open_page(context, service.url + "/viewer", [])
        page = await open_page(context, service.url, [])
        await page.get_by_test_id("start-tab").click()
        await expect(page.get_by_text("That tab is Kua itself")).to_be_visible(timeout=10_000)
    finally:
        await context.close()


async def save_mother(page: Page, url: str) -> None:
    await page.goto(f"{url}/people")
    await page.get_by_test_id("person-name").fill("Mother")
    await page.get_by_test_id("person-number").fill("+7 701 000 00 00")
    await page.get_by_test_id("person-word").fill("Blue elephant")
    await page.get_by_test_id("person-save").click()
    mother = page.get_by_test_id("person").filter(has_text="Mother")
    await mother.get_by_test_id("enrol-open").click()
    await expect(page.get_by_test_id("enrol-record")).to_be_disabled()
    await page.get_by_test_id("consent").check()
    await page.get_by_test_id("enrol-passphrase").fill("under the mirror")
    await page.get_by_test_id("enrol-record").click()
    await expect(mother.get_by_test_id("enrolled")).to_have_attribute("data-enrolled", "true", timeout=60_000)


async def test_a_mother_is_saved_called_back_asked_for_the_word_and_compared(
    service: Running, camera: Path, microphone: Path, launch: Launch
) -> None:
    errors: list[str] = []
    context = await (await launch(camera, microphone)).new_context(permissions=["camera", "microphone"])
    page = await open_page(context, service.url, errors)
    await save_mother(page, service.url)
    await page.goto(service.url)
    await page.get_by_test_id("start-camera").click()
    await expect(page.get_by_test_id("state")).to_be_visible(timeout=20_000)
    await page.get_by_test_id("who").select_option(label="Mother")
    await expect(page.get_by_test_id("call-back")).to_have_attribute("href", "tel:+77010000000")

    await page.get_by_test_id("alike-passphrase").fill("over the mirror")
    await page.get_by_test_id("alike-start").click()
    await expect(page.get_by_test_id("alike")).to_contain_text("does not open it")
    await page.get_by_test_id("alike-passphrase").fill("under the mirror")
    await page.get_by_test_id("alike-start").click()
    face = page.locator("[data-identity=identity_face]")
    await expect(face).to_have_attribute("data-likeness", "same_person", timeout=30_000)
    await expect(face).to_contain_text("like that of Mother")

    await page.get_by_test_id("word-heard").fill("red elephant")
    await page.get_by_test_id("word-check").click()
    await expect(page.get_by_test_id("word-said")).to_contain_text("That is not the word")
    await page.get_by_test_id("word-heard").fill("blue  Elephant!")
    await page.get_by_test_id("word-check").click()
    await expect(page.get_by_test_id("word-said")).to_contain_text("That is the word")
    await page.locator("[data-answer=not_them]").click()
    await expect(page.get_by_test_id("call-back-said")).to_contain_text("End the call")

    await page.goto(f"{service.url}/people")
    mother = page.get_by_test_id("person").filter(has_text="Mother")
    await mother.get_by_test_id("forget").click()
    await expect(mother.get_by_test_id("enrolled")).to_have_attribute("data-enrolled", "false")
    await mother.get_by_test_id("remove").click()
    await mother.get_by_test_id("remove-yes").click()
    await expect(mother).to_have_count(0)
    assert [error for error in errors if "403" not in error] == []


async def test_a_relative_answers_from_a_phone_in_kazakh(service: Running, camera: Path, launch: Launch) -> None:
    errors: list[str] = []
    context = await (await launch(camera)).new_context(permissions=["camera", "microphone"])
    page = await open_page(context, service.url, errors)
    await page.get_by_label(re.compile("name", re.IGNORECASE)).fill("Ерлан")
    await page.get_by_test_id("start-camera").click()
    sure = page.get_by_test_id("make-sure")
    await sure.get_by_text("Ask somebody who knows them").click(timeout=20_000)
    await sure.get_by_label("Your name").fill("Анасы")
    await sure.get_by_test_id("make-ask").click()
    link = await sure.get_by_test_id("ask-link").input_value()

    phone = await (await launch()).new_context(locale="kk-KZ", viewport={"width": 390, "height": 844})
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    relative = await open_page(phone, link, errors)
    await expect(relative.get_by_role("heading")).to_have_text("Бұл шынымен Ерлан ма?")
    await relative.locator("[data-answer=not_them]").click()
    await expect(relative.get_by_test_id("answer-said")).to_contain_text("Рақмет")
    assert {url.split("/v1/")[1] for url in asked if "/v1/" in url} == {"answer"}
    await expect(sure.get_by_test_id("ask-answer")).to_have_attribute("data-answer", "not_them", timeout=10_000)
    assert errors == []
