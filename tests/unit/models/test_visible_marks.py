"""A generator's mark is what stands alone over several pictures; a caption, a logo and a single reading are none."""

import cv2
import numpy as np
import pytest

from models.text_reader import Line, TextReader
from models.visible_marks import find_marks


def line(text: str, left: float = 0.1, top: float = 0.1, height: float = 0.05, width: float = 0.1) -> Line:
    return Line(text=text, confidence=0.9, left=left, top=top, width=width, height=height)


def test_a_name_that_jumps_over_several_pictures_is_a_mark() -> None:
    places = [(0.1, 0.1), (0.7, 0.4), (0.1, 0.7)]
    (mark,) = find_marks([[line("Sora", *places[i // 4])] for i in range(12)])
    assert (mark.generator, mark.pictures, mark.of, mark.jumps) == ("Sora", 12, 12, True)
    (mark,) = find_marks([[line("Kling AI")]] * 3 + [[]] * 9)
    assert (mark.generator, mark.pictures, mark.jumps) == ("Kling AI", 3, False)


@pytest.mark.parametrize("text", ["Sora", "sora", "S0ra", "OSora", "& Sora", "KLING AI", "HeyGem", "Synthesla"])
def test_the_icon_and_one_wrong_letter_of_a_long_name_do_not_count(text: str) -> None:
    assert len(find_marks([[line(text)]] * 4)) == 1


@pytest.mark.parametrize(
    "text", ["Soraya", "SORATV", "my Sora", "Sara", "Sor", "Veon", "Vet", "Klingon", "Runaways", "Masora film", ""]
)
def test_another_word_is_no_mark(text: str) -> None:
    assert find_marks([[line(text)]] * 12) == ()


def test_a_caption_is_no_mark() -> None:
    beside = [line("Sora", left=0.1), line("is here", left=0.21)]
    assert find_marks([beside] * 12) == ()
    assert find_marks([[line("Sora", left=0.45, top=0.88)]] * 12) == ()
    apart = [line("Sora", left=0.1), line("Channel 7", left=0.8)]
    assert len(find_marks([apart] * 12)) == 1


def test_what_is_seen_once_or_in_all_sizes_is_no_mark() -> None:
    assert find_marks([[line("Sora")]] + [[]] * 11) == ()
    assert find_marks([[line("Sora", height=0.02 + 0.06 * i)] for i in range(2)] + [[]] * 10) == ()
    assert find_marks([[line("Sora", height=0.3)]] * 12) == ()
    assert find_marks([]) == ()


def test_text_over_a_picture_is_found_and_read() -> None:
    picture = np.random.default_rng(0).integers(60, 120, (480, 854, 3), np.uint8)
    picture = np.ascontiguousarray(cv2.GaussianBlur(picture, (31, 31), 0))
    cv2.putText(picture, "Sora", (600, 120), cv2.FONT_HERSHEY_DUPLEX, 1.3, (255, 255, 255), 3, cv2.LINE_AA)
    cv2.putText(picture, "BREAKING NEWS", (60, 430), cv2.FONT_HERSHEY_DUPLEX, 1.3, (255, 255, 0), 3, cv2.LINE_AA)
    found = {read.text.replace(" ", ""): read for read in TextReader().read(picture)}
    assert set(found) == {"Sora", "BREAKINGNEWS"}
    assert found["Sora"].left == pytest.approx(600 / 854, abs=0.02)
    assert found["Sora"].top == pytest.approx(85 / 480, abs=0.04)
    assert TextReader().read(np.zeros((32, 32, 3), np.uint8)) == ()
