"""What is explained: the newest judged window of what carries the alert; and what that must never cost."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest

from models.explanation import Explanation, FaceExplanation
from models.preprocess import TEMPLATE
from models.window import (
    CROP_PX,
    WINDOW_SAMPLES,
    FaceCrop,
    FaceWindow,
    Reason,
    Signal,
    VoiceWindow,
    scored,
    unscored,
    voice_window,
)
from stream.events import Alert, AlertKind, Coverage, Decision, SignalReading, State
from stream.explainer import MAX_UNJUDGED, MAX_WAITING, Explainable, Explainer, JudgedWindows

T = TypeVar("T")


def window(track: int, end_s: float) -> FaceWindow:
    crop = FaceCrop(
        pixels=np.zeros((CROP_PX, CROP_PX, 3), np.uint8),
        time_s=end_s - 0.2,
        track=track,
        landmarks=TEMPLATE,
        face_px=120,
        sharpness=50,
    )
    return FaceWindow(start_s=end_s - 4, end_s=end_s, track=track, crops=(crop,), n_pictures=20)


def sound(end_s: float) -> VoiceWindow:
    return voice_window(end_s - 4, end_s, np.zeros(WINDOW_SAMPLES, np.float32))


def decision(*faces: tuple[int, State, float]) -> Decision:
    readings = tuple(
        SignalReading(
            signal=Signal.FACE, track=n, state=state, llr=-3, reason=None, evidence_nat=evidence, analysed_s=4
        )
        for n, state, evidence in faces
    )
    return Decision(
        time_s=5,
        state=State.SPOOF,
        reason=None,
        readings=readings,
        coverage=Coverage(),
        evidence_nat=3,
        threshold_nat=2,
    )


def alert(kind: AlertKind = AlertKind.RAISED) -> Alert:
    return Alert(id="a", kind=kind, session="s", since_s=5, time_s=5, decision=decision((1, State.SPOOF, 1.2)))


def judged(faces: JudgedWindows, shown: Explainable) -> None:
    faces.submit([shown])
    faces.take(scored(shown, raw=-3, llr=-3, analysed_s=4))


def test_the_strongest_face_that_carries_the_alert_is_shown_by_its_newest_judged_window() -> None:
    faces, newest = JudgedWindows(), window(2, 4.5)
    for shown in (window(1, 4), window(2, 4), newest):
        judged(faces, shown)
    unjudged = window(2, 5.0)
    faces.submit([unjudged])
    faces.take(unscored(unjudged, Reason.BLURRED))
    now = decision((1, State.BONA_FIDE, 9.0), (2, State.SPOOF, 1.2), (3, State.SPOOF, 1.0))
    assert faces.behind(AlertKind.RAISED, now) == (newest,)
    assert faces.behind(AlertKind.UPDATED, now) == (newest,)


@pytest.mark.parametrize(
    ("kind", "faces"),
    [(AlertKind.CLEARED, (1, State.SPOOF, 1.2)), (AlertKind.RAISED, (1, State.SUSPECT, 0.6))],
)
def test_a_cleared_alert_or_one_that_no_face_carries_has_no_window(
    kind: AlertKind, faces: tuple[int, State, float]
) -> None:
    known = JudgedWindows()
    judged(known, window(1, 4))
    judged(known, sound(4))
    assert known.behind(kind, decision(faces)) == ()


def test_an_alert_that_voice_and_face_carry_shows_the_newest_judged_window_of_both() -> None:
    known, face, voice = JudgedWindows(), window(1, 4), sound(4.5)
    for shown in (sound(4), face, voice):
        judged(known, shown)
    silent = sound(5)
    known.submit([silent])
    known.take(unscored(silent, Reason.SILENCE))
    of_voice = replace(decision((1, State.SPOOF, 1.2)).readings[0], signal=Signal.VOICE, track=0)
    both = replace(decision((1, State.SPOOF, 1.2)), readings=(of_voice, *decision((1, State.SPOOF, 1.2)).readings))
    assert set(known.behind(AlertKind.UPDATED, both)) == {face, voice}
    assert known.behind(AlertKind.RAISED, replace(both, readings=(of_voice,))) == (voice,)
    off = replace(of_voice, signal=Signal.SYNC, track=1)
    assert known.behind(AlertKind.RAISED, replace(both, readings=(off,))) == ()


def test_a_face_that_left_is_forgotten() -> None:
    faces = JudgedWindows()
    judged(faces, window(1, 4))
    judged(faces, window(2, 13.5))
    assert faces.behind(AlertKind.RAISED, decision((1, State.SPOOF, 1.2))) != ()
    judged(faces, window(2, 14.5))
    assert faces.behind(AlertKind.RAISED, decision((1, State.SPOOF, 1.2))) == ()
    assert len(faces) == 1


def test_windows_that_are_never_judged_do_not_pile_up() -> None:
    faces = JudgedWindows()
    faces.submit(window(1, 4 + i / 2) for i in range(3 * MAX_UNJUDGED))
    assert len(faces) == MAX_UNJUDGED


class Slow:
    """Explains when it is let, or fails."""

    def __init__(self, error: str = "") -> None:
        self.may = threading.Event()
        self.error = error
        self.asked: list[float] = []

    def explain(self, shown: Explainable) -> FaceExplanation:
        assert isinstance(shown, FaceWindow)
        self.may.wait(5)
        self.asked.append(shown.end_s)
        if self.error:
            raise RuntimeError(self.error)
        return FaceExplanation(crop=shown.crops[0], spoof=np.full((3, 4), 0.5, np.float32))


def run(work: Callable[[], T]) -> "asyncio.Future[T]":
    return asyncio.get_running_loop().run_in_executor(None, work)


async def test_explanations_come_in_the_order_of_their_alerts_and_those_beyond_the_limit_are_left_out() -> None:
    told: list[float] = []

    async def tell(_: Alert, shown: Explainable, explanation: Explanation) -> None:
        assert isinstance(explanation, FaceExplanation)
        assert isinstance(shown, FaceWindow)
        assert explanation.crop is shown.crops[0]
        told.append(shown.end_s)

    detector = Slow()
    explainer = Explainer("s", detector, run, tell)
    for i in range(MAX_WAITING + 3):
        explainer.begin(alert(), window(1, 4 + i))
    await asyncio.sleep(0.05)
    assert told == []
    detector.may.set()
    await explainer.finish()
    assert told == [4.0 + i for i in range(MAX_WAITING)]


async def test_a_failure_is_logged_and_costs_its_own_explanation_alone(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[float] = []

    async def tell(_: Alert, shown: Explainable, __: Explanation) -> None:
        told.append(shown.end_s)

    detector = Slow("the net broke")
    detector.may.set()
    explainer = Explainer("s", detector, run, tell)
    explainer.begin(alert(), window(1, 4))
    await explainer.finish()
    detector.error = ""
    explainer.begin(alert(), window(1, 5))
    await explainer.finish()
    assert told == [5.0]
    assert "the net broke" in capsys.readouterr().out
