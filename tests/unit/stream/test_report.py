"""The report says in three languages what is known, and shows what people wrote as they wrote it."""

import io
import time
from typing import Any

import cv2
import numpy as np
import pypdf
import pytest

from stream.alerts.report import LANGUAGES, MAX_PICTURES, TEXTS, render
from stream.alerts.report_texts import Language

HOSTILE = '#panic("x") $ \\ *_ <a> ]'
KAZAKH = "ӘҒҚҢӨҰҮҺІ әғқңөұүһі"


def png(seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (64, 64, 3), np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def case(n_readings: int = 120, **changes: Any) -> dict[str, Any]:
    coverage = {
        "call_s": 60,
        "face_s": 50,
        "speech_s": 30,
        "face_missed_s": {"pose": 4.0},
        "speech_missed_s": {"silence": 22.0, "noise": 0.2},
    }
    alert = {
        "raised_at": "2026-11-26T09:00:14+00:00",
        "cleared_at": None,
        "since_s": 14.2,
        "time_s": 14.2,
        "evidence_nat": 12.3,
        "threshold_nat": 4.6,
        "promise_hours": 100,
        "signals": [{"signal": "face", "share": 0.6, "evidence_nat": 8.1, "analysed_s": 12.0}],
        "pipeline": [{"trait": "repeated", "value": 0.61, "p": 0.02, "is_unusual": True}],
        "coverage": coverage,
        "models": {"face": "f" * 12, "decision": "d" * 12},
    }
    reading = {"state": "spoof", "threshold_nat": 4.6, "face_llr": None, "voice_llr": None}
    return {
        "case": "aVzKVzK9_N8T",
        "organisation": "bank",
        "software": "kua 0.1.0",
        "exported_at": "2026-11-26T10:00:00+00:00",
        "exported_by": "Aru",
        "call": {
            "session": "cyph-0h",
            "name": HOSTILE,
            "source": "whip",
            "started_at": "2026-11-26T09:00:00+00:00",
            "ended_at": None,
            "is_telephone": True,
        },
        "alert": alert,
        "status": "confirmed_fraud",
        "assignee": KAZAKH,
        "amount": 2_500_000.0,
        "currency": "KZT",
        "reference": "K-17",
        "history": [
            {"at": "2026-11-26T09:01:14+00:00", "by": "Dana", "what": "assigned", "reason": "Aru", "note": ""},
            {
                "at": "2026-11-26T09:03:14+00:00",
                "by": "Dana",
                "what": "confirmed_fraud",
                "reason": "x",
                "note": HOSTILE,
            },
        ],
        "settings": {"keep_days": 30},
        "timeline": [reading | {"time_s": i / 2, "evidence_nat": float(i % 40)} for i in range(n_readings)],
        "evidence": [
            {"file": "evidence/face-1.png", "kind": "face", "sha256": "a" * 64, "start_s": 14.2, "end_s": 14.2},
            {"file": "evidence/face_map-000014.2s-4.png", "kind": "face_map", "sha256": "b" * 64, "start_s": None},
        ],
        "chain": {"events": 9, "head": "c" * 64, "key": "0123 4567"},
    } | changes


def read(pdf: bytes) -> tuple[str, int]:
    """Return the words of a report, and how many pictures it holds."""
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split()), sum(len(page.images) for page in pages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_says_in_each_language_what_is_known(language: Language) -> None:
    texts = TEXTS[language]
    said, n_pictures = read(render(case(), language, {"evidence/face-1.png": png()}))
    for part in (texts["title"], texts["status"]["confirmed_fraud"], texts["reason"]["pose"], texts["telephone"]):
        assert part in said
    for part in ("aVzKVzK9_N8T", "12.3", "4.6", "26.11.2026 09:00:14 UTC", "KZT", "K-17", "c" * 64, "d" * 12, "0:14"):
        assert part in said
    assert texts["reason"]["noise"] not in said, "a fifth of a second is not worth a line"
    assert texts["trait"]["repeated"].format(value="61") in said
    assert n_pictures == 1, "the heat map is not at hand"
    assert all(letter in said for letter in KAZAKH)


def test_what_people_wrote_is_shown_and_never_run() -> None:
    said, _ = read(render(case(), "en", {}))
    assert said.count('#panic("x") $ \\ *_ <a> ]') == 2
    assert TEXTS["en"]["no_pictures"] in said


def test_a_call_without_readings_history_or_coverage_still_has_a_report() -> None:
    bare = case(0, history=[], evidence=[], settings={}, amount=None)
    bare["alert"] |= {"coverage": {}, "signals": [], "models": {}, "promise_hours": None}
    said, _ = read(render(bare, "ru", {}))
    assert TEXTS["ru"]["no_history"] in said
    assert TEXTS["ru"]["plot_help"] not in said


def test_a_long_call_with_many_pictures_is_quick_and_shows_the_first_of_them() -> None:
    pieces = [
        {"file": f"evidence/face-{i}.png", "kind": "face", "sha256": "a" * 64, "start_s": float(i), "end_s": float(i)}
        for i in range(30)
    ]
    pictures = {piece["file"]: png(i) for i, piece in enumerate(pieces)}
    began = time.monotonic()
    _, n = read(render(case(3600, evidence=pieces), "kk", pictures))
    assert n == MAX_PICTURES
    assert time.monotonic() - began < 10


def test_no_language_lacks_a_text_or_a_place_to_fill_in() -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(part) for name, part in value.items()}
        if isinstance(value, list):
            return len(value)
        return sorted(part.split("}")[0] for part in value.split("{")[1:])

    assert shape(TEXTS["kk"]) == shape(TEXTS["ru"]) == shape(TEXTS["en"])
