"""Evidence adds up over speech, and over speech alone."""

import pytest

from models.calibration import Calibration
from models.long_speech import LongSpeech

MAPS = {seconds: Calibration(raws=(-2.0, 2.0), llrs=(-float(seconds), float(seconds))) for seconds in (10, 30)}


def test_nothing_is_said_before_the_shortest_stretch_was_heard() -> None:
    speech = LongSpeech(MAPS)
    for _ in range(19):
        speech.take(1.0, 0.5)
    assert speech.reading() is None
    speech.take(1.0, 0.5)
    reading = speech.reading()
    assert reading is not None
    assert (reading.speech_s, reading.llr) == (10, 5.0)


def test_the_longest_stretch_that_is_full_speaks() -> None:
    speech = LongSpeech(MAPS)
    for _ in range(60):
        speech.take(-1.0, 0.5)
    reading = speech.reading()
    assert reading is not None
    assert (reading.speech_s, reading.llr) == (30, -15.0)


def test_windows_with_little_speech_count_little() -> None:
    speech = LongSpeech({10: MAPS[10]})
    for _ in range(20):
        speech.take(1.0, 0.45)
        speech.take(-2.0, 0.05)
    reading = speech.reading()
    assert reading is not None
    assert reading.llr == pytest.approx(5 * 0.7)


def test_what_was_said_long_ago_is_forgotten() -> None:
    speech = LongSpeech(MAPS)
    for llr in (-2.0, 2.0):
        for _ in range(60):
            speech.take(llr, 0.5)
    reading = speech.reading()
    assert reading is not None
    assert reading.llr == 30.0
    assert len(speech._heard) <= 60


def test_a_voice_without_maps_says_nothing() -> None:
    speech = LongSpeech({})
    speech.take(1.0, 4.0)
    assert speech.reading() is None
