"""The detector scores what it is given, in order, once; and says why where it cannot."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from models.detector import Detector
from models.engine import Engine
from models.explanation import FaceExplanation, VoiceExplanation
from models.preprocess import TEMPLATE
from models.training.clips import voice_windows
from models.window import (
    CROP_PX,
    SAMPLE_RATE_HZ,
    WINDOW_PICTURES,
    WINDOW_PIECES,
    WINDOW_SAMPLES,
    FaceCrop,
    FaceWindow,
    Reason,
    Score,
    Signal,
    SyncWindow,
    VoiceWindow,
    voice_window,
)
from stream import demo
from stream.events import AudioFrame
from stream.windower import AudioWindower


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(Engine("cpu", workers=2))


def voice(samples: npt.NDArray[np.float32], n_lost: int = 0) -> VoiceWindow:
    return voice_window(0.0, 4.0, samples, n_lost)


def noise_crop(seed: int, face_px: float = 120.0) -> FaceCrop:
    pixels = np.random.default_rng(seed).integers(0, 255, (CROP_PX, CROP_PX, 3), np.uint8)
    return FaceCrop(pixels=pixels, time_s=seed / 5, track=1, landmarks=TEMPLATE, face_px=face_px, sharpness=500.0)


def face(crops: tuple[FaceCrop, ...], n_pictures: int = WINDOW_PICTURES) -> FaceWindow:
    return FaceWindow(start_s=0, end_s=4, track=1 if crops else 0, crops=crops, n_pictures=n_pictures)


def test_what_cannot_be_judged_says_why(detector: Detector) -> None:
    silence = np.zeros(WINDOW_SAMPLES, np.float32)
    batch = (
        voice(silence),
        face(()),
        voice(silence, n_lost=WINDOW_SAMPLES),
        face((), n_pictures=0),
        face(tuple(noise_crop(i, face_px=20) for i in range(WINDOW_PICTURES))),
    )
    scores = detector.score(batch)
    reasons = [Reason.SILENCE, Reason.NO_FACE, Reason.LOST, Reason.LOST, Reason.SMALL_FACE]
    assert [(s.llr, s.reason) for s in scores] == [(None, reason) for reason in reasons]
    assert [s.signal for s in scores] == [w.signal for w in batch]


def test_a_crop_in_eight_windows_is_computed_once(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    run, rows = detector._run_face, list[int]()

    def counted(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        rows.append(len(pixels))
        return run(pixels)

    monkeypatch.setattr(detector, "_run_face", counted)
    crops = tuple(noise_crop(i) for i in range(40))
    windows = [face(crops[i : i + WINDOW_PICTURES]) for i in range(0, 20, 2)]
    together = detector.score(tuple(windows))
    assert sum(rows) == 38
    apart = [detector.score((window,))[0] for window in windows]
    assert sum(rows) == 38
    assert [s.llr for s in together] == [s.llr for s in apart]


def test_what_was_computed_is_forgotten_with_its_crop(detector: Detector) -> None:
    before = len(detector._read)
    detector.score((face(tuple(noise_crop(i) for i in range(WINDOW_PICTURES))),))
    assert len(detector._read) == before


def test_an_explanation_names_the_worst_crop_and_maps_the_face(detector: Detector) -> None:
    window = next(portrait_windows(detector, forged=True))
    explanation = detector.explain(window)
    assert isinstance(explanation, FaceExplanation)
    assert explanation.crop in window.crops
    assert explanation.spoof.ndim == 2
    assert ((explanation.spoof >= 0) & (explanation.spoof <= 1)).all()
    assert detector.explain(face(window.crops[:4])) is None


def test_a_voice_is_explained_where_it_may_be_scored_and_its_score_stays_the_same(detector: Detector) -> None:
    window = voice(speech())
    before = detector.score((window,))[0].raw
    explanation = detector.explain(window)
    assert isinstance(explanation, VoiceExplanation)
    assert np.abs(explanation.spoof).max() == pytest.approx(1)
    assert detector.score((window,))[0].raw == before
    assert detector.explain(voice(np.zeros(WINDOW_SAMPLES, np.float32))) is None


def test_a_windows_score_does_not_depend_on_its_batch(detector: Detector) -> None:
    crops = tuple(noise_crop(i) for i in range(WINDOW_PICTURES))
    alone = detector.score((face(crops),))[0]
    fresh = tuple(noise_crop(i) for i in range(WINDOW_PICTURES))
    others = tuple(face(tuple(noise_crop(100 + 20 * k + i) for i in range(WINDOW_PICTURES))) for k in range(3))
    assert alone.llr is not None
    assert detector.score((*others, face(fresh)))[-1].llr == pytest.approx(alone.llr, abs=0.05)


def test_lips_are_not_held_against_silence_or_against_sound_that_never_came(detector: Detector) -> None:
    seen, silence = face(tuple(noise_crop(i) for i in range(WINDOW_PICTURES))), np.zeros(WINDOW_SAMPLES, np.float32)
    batch = (
        SyncWindow(face=seen, voice=voice(silence)),
        seen,
        SyncWindow(face=seen, voice=voice(silence, n_lost=WINDOW_SAMPLES)),
    )
    scores = detector.score(batch)
    assert [s.signal for s in scores] == [Signal.SYNC, Signal.FACE, Signal.SYNC]
    assert [s.reason for s in scores] == [Reason.SILENCE, None, Reason.LOST]


def test_speech_is_looked_for_once_though_two_faces_ask_for_it(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, asked = detector._activity._compute, list[int]()

    def counted(pairs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        asked.append(len(pairs))
        return look(pairs)

    monkeypatch.setattr(detector._activity, "_compute", counted)
    sound = voice(speech())
    windows = [face(tuple(noise_crop(i + 20 * k) for i in range(WINDOW_PICTURES))) for k in range(2)]
    scores = detector.score((*(SyncWindow(face=window, voice=sound) for window in windows), sound))
    assert sum(asked) == WINDOW_PIECES - 1
    assert all(s.llr is not None and 1 < s.analysed_s <= 4 for s in scores)


def test_a_voice_scores_the_same_alone_in_a_batch_and_in_a_stream(detector: Detector) -> None:
    said = np.concatenate([speech(), speech()[:20_000]])
    alone = [detector.score((voice(window.samples),))[0] for window in voice_windows(said)]
    together = detector.score(tuple(voice_windows(said)))
    windower, streamed = AudioWindower(), list[Score]()
    for a in range(0, len(said), 3_200):
        for window in windower.push(AudioFrame(start_s=a / SAMPLE_RATE_HZ, samples=said[a : a + 3_200])):
            streamed += detector.score((window,))
    assert len(alone) == 3
    for scores in (together, streamed):
        assert [s.analysed_s for s in scores] == [s.analysed_s for s in alone]
        assert [s.raw for s in scores] == pytest.approx([s.raw for s in alone], abs=1e-3)


def speech() -> npt.NDArray[np.float32]:
    recorded = demo.load_voices()[0].astype(np.float32) / 32768
    narrow = np.interp(np.arange(WINDOW_SAMPLES) * 3, np.arange(len(recorded)), recorded)
    return np.asarray(narrow, np.float32)


def portrait_windows(detector: Detector, forged: bool) -> Iterator[FaceWindow]:
    from models.faces import FaceTracker, follow
    from models.training.clips import face_windows

    portrait, tracker, seen = demo.load_portrait(), FaceTracker(), []
    for i in range(40):
        rgb = portrait.picture(i / 5, forged)
        seen.append((i / 5, follow(rgb, i / 5, tracker, detector.find_faces)))
    yield from face_windows(seen)


def test_up_is_bona_fide_the_forged_portrait_scores_below_the_genuine_one(detector: Detector) -> None:
    genuine = [s.llr for s in detector.score(tuple(portrait_windows(detector, forged=False)))]
    forged = [s.llr for s in detector.score(tuple(portrait_windows(detector, forged=True)))]
    assert None not in genuine + forged
    assert min(genuine) > max(forged)  # type: ignore[type-var]


def test_digests_name_all_models(detector: Detector) -> None:
    assert set(detector.digests) == {Signal.FACE.value, Signal.VOICE.value, Signal.SYNC.value}
    assert all(len(digest) == 12 for digest in detector.digests.values())
