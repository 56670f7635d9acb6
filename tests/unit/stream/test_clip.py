"""A clip keeps the explanation of its first alerted face and of its voice, whichever raised the alert."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.calibration import Calibration
from models.explanation import Explanation, FaceExplanation, VoiceExplanation
from models.faces import Detection
from models.promise import DecisionModel
from models.text_reader import TextReader
from models.window import HOP_S, PICTURE_RATE_HZ, SAMPLE_RATE_HZ, Batch, FaceWindow, Pixels, Score, Signal, scored
from stream import report
from stream.clip import ClipCheck, ClipReport
from stream.events import AudioFrame, State, Verdict, VideoFrame
from stream.explainer import Explainable
from stream.forwarded.examine import Examination
from stream.policy import Policy

PICTURE = np.full((240, 320, 3), 90, np.uint8)
LANDMARKS = np.array([[130, 90], [190, 90], [160, 120], [135, 150], [185, 150]], np.float32)


class Models:
    """Calls each signal forged from a time on."""

    def __init__(self, face_from_s: float, voice_from_s: float) -> None:
        self.longs: dict[Signal, dict[int, Calibration]] = {}
        self.from_s = {Signal.FACE: face_from_s, Signal.VOICE: voice_from_s}
        self.explained: list[Explainable] = []

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        return (Detection(box=(100, 60, 120, 120), landmarks=LANDMARKS, confidence=1.0),)

    def score(self, batch: Batch) -> Sequence[Score]:
        llrs = [-6.0 if window.end_s >= self.from_s.get(window.signal, float("inf")) else 3.0 for window in batch]
        return [scored(window, raw=llr, llr=llr, analysed_s=4) for window, llr in zip(batch, llrs, strict=True)]

    def explain(self, window: Explainable) -> Explanation:
        self.explained.append(window)
        if not isinstance(window, FaceWindow):
            grid = np.zeros((2, 3), np.float32)
            stretches_s = ((window.start_s + 1, window.start_s + 1.5), (window.start_s + 3, window.start_s + 3.5))
            return VoiceExplanation(
                energy_db=grid, spoof=grid, top_hz=8000, stretches_s=stretches_s, band_hz=(5333.3, 8000)
            )
        return FaceExplanation(crop=window.crops[0], spoof=np.full((2, 3), 0.7, np.float32))


def check(models: Models, decision: DecisionModel, seconds: int = 20) -> ClipCheck:
    clip = ClipCheck(models, Policy(model=decision))
    for second in range(seconds):
        clip.push(AudioFrame(start_s=second, samples=np.zeros(SAMPLE_RATE_HZ, np.float32)))
        for i in range(PICTURE_RATE_HZ):
            clip.push(VideoFrame(time_s=second + i / PICTURE_RATE_HZ, pixels=PICTURE))
    assert clip.finish().state is State.SPOOF
    return clip


def first_alerted_s(clip: ClipCheck, signal: Signal) -> float:
    """Return when a signal first carried the alert [s]."""
    return next(d.time_s for d in clip.decisions for r in d.readings if r.signal is signal and r.state is State.SPOOF)


@pytest.mark.parametrize("voice_from_s", [99.0, 5.0])
def test_the_window_that_brought_the_face_into_the_alert_is_explained_and_no_other(
    voice_from_s: float, round_model: DecisionModel
) -> None:
    models = Models(face_from_s=8.0, voice_from_s=voice_from_s)
    clip = check(models, round_model)
    explained = clip.explained[Signal.FACE]
    assert [window for window in models.explained if window.signal is Signal.FACE] == [explained.window]
    # The voice of the same time comes before the face: then the newest face that was judged is explained.
    first_s = first_alerted_s(clip, Signal.FACE)
    assert explained.window.end_s >= 8.0
    assert first_s - 2 * HOP_S <= explained.window.end_s <= first_s
    assert isinstance(explained.explanation, FaceExplanation)
    assert isinstance(explained.window, FaceWindow)
    assert explained.explanation.crop in explained.window.crops


def test_an_alert_of_the_voice_alone_explains_the_voice_once_and_no_face(round_model: DecisionModel) -> None:
    models = Models(face_from_s=99.0, voice_from_s=5.0)
    clip = check(models, round_model)
    explained = clip.explained
    assert list(explained) == [Signal.VOICE]
    assert models.explained == [explained[Signal.VOICE].window]
    assert explained[Signal.VOICE].window.end_s == first_alerted_s(clip, Signal.VOICE) >= 5.0


def test_the_verdict_names_the_most_suspicious_seconds_and_bands_of_the_voice(round_model: DecisionModel) -> None:
    clip = check(Models(face_from_s=99.0, voice_from_s=5.0), round_model)
    start_s = clip.explained[Signal.VOICE].window.start_s
    verdict = Verdict(state=State.SPOOF, reason=None, decision=clip.decisions[-1], spoof_s=9, first_alert_s=5.5)
    found = Examination(Path("call.wav"), Models(99.0, 99.0), Policy(), TextReader)
    found.report = ClipReport(
        path=Path("call.wav"),
        is_truncated=False,
        verdict=verdict,
        decisions=tuple(clip.decisions),
        explained=clip.explained,
        processing_s=1,
    )
    stretches = f"{start_s + 1:.1f}-{start_s + 1.5:.1f} s and {start_s + 3:.1f}-{start_s + 3.5:.1f} s"
    told = f"  most suspicious in the voice's first alerted window: {stretches}, 5.3 to 8.0 kHz"
    assert told in list(report.lines(found))
    said = json.loads(json.dumps(report.as_json(found, models={})))
    assert said["explanation"] is None
    assert said["voice_explanation"]["stretches_s"] == [[start_s + 1, start_s + 1.5], [start_s + 3, start_s + 3.5]]
    assert (said["voice_explanation"]["start_s"], said["voice_explanation"]["end_s"]) == (start_s, start_s + 4)
