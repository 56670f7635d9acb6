"""Lips against voice: on drawn mouths and made-up sound, and on people that the checkpoint has never seen."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from models import sync
from models.checkpoint import CheckpointError
from models.faces import FaceFinder, FaceTracker, crops_of
from models.metrics import auc
from models.preprocess import TEMPLATE
from models.sync import LAGS_S, NEAR_S, SyncNet, gate, load_sync, read_window
from models.training.clips import face_windows, sync_windows, voice_windows
from models.training.face_data import BONA_FIDE, pictures, read_manifest
from models.training.train_sync import HELD_OUT
from models.training.voice_data import decode
from models.voice_activity import VoiceActivity, speech_seconds
from models.window import (
    CROP_PX,
    PICTURE_RATE_HZ,
    SAMPLE_RATE_HZ,
    WINDOW_PICTURES,
    WINDOW_SAMPLES,
    FaceCrop,
    FaceWindow,
    Pixels,
    Reason,
    Samples,
    SyncWindow,
    voice_window,
)

DATA = Path(__file__).parents[4] / "shared" / "data" / "face"
SKIN, LIPS, INSIDE = (190, 150, 130), (150, 80, 80), (40, 20, 20)

Curve = npt.NDArray[np.float64]


def syllables(seed: int) -> Curve:
    """Return how open a speaking mouth is, 0..1, every 10 ms of six seconds."""
    rng = np.random.default_rng(seed)
    curve, at = np.zeros(600), 0
    while at < len(curve):
        n = int(rng.integers(12, 35))
        if rng.random() < 0.8:
            curve[at : at + n] = (np.hanning(n) * rng.uniform(0.4, 1.0))[: len(curve) - at]
        at += n
    return curve


def drawn(opening: float, light: float = 1.0) -> Pixels:
    """Return a crop with nothing but a mouth that is `opening` open."""
    picture = np.full((CROP_PX, CROP_PX, 3), SKIN, np.uint8)
    height = 3 + 13 * opening
    cv2.ellipse(picture, (112, round(146 + height / 2)), (24, round(5 + height)), 0, 0, 360, LIPS, -1)
    cv2.ellipse(picture, (112, round(146 + height / 2)), (19, round(height)), 0, 0, 360, INSIDE, -1)
    return np.clip(picture * light, 0, 255).astype(np.uint8)


def crops(curve: Curve, *, n: int = WINDOW_PICTURES, light: float = 1.0) -> tuple[FaceCrop, ...]:
    times_s = np.arange(n) / PICTURE_RATE_HZ
    return tuple(
        FaceCrop(
            pixels=drawn(float(curve[round(t * 100)]), light),
            time_s=float(t),
            track=1,
            landmarks=TEMPLATE,
            face_px=120.0,
            sharpness=200.0,
        )
        for t in times_s
    )


def spoken(curve: Curve) -> Samples:
    """Return a buzz of vocal folds that is as loud as the mouth is open."""
    time_s = np.arange(WINDOW_SAMPLES) / SAMPLE_RATE_HZ
    loud = np.interp(time_s, np.arange(len(curve)) / 100, curve) + 0.01
    buzz = sum(np.sin(2 * np.pi * 120 * k * time_s + k * k) / k for k in range(1, 30))
    return np.asarray(0.1 * loud * buzz, np.float32)


def window(seen: tuple[FaceCrop, ...], sound: Samples, n_lost: int = 0) -> SyncWindow:
    return SyncWindow(
        face=FaceWindow(start_s=0.0, end_s=4.0, track=1, crops=seen, n_pictures=WINDOW_PICTURES),
        voice=voice_window(0.0, 4.0, sound, n_lost),
    )


@pytest.fixture(scope="module")
def net() -> SyncNet:
    return load_sync()[0]


def raw(net: SyncNet, seen: tuple[FaceCrop, ...], sound: Samples) -> float:
    return read_window(net, window(seen, sound)).raw


def test_a_mouth_that_opens_with_the_sound_scores_above_the_same_with_shifted_and_with_other_sound(
    net: SyncNet,
) -> None:
    matched, shifted, swapped = [], [], []
    for seed in range(12):
        curve = syllables(seed)
        seen = crops(curve)
        matched.append(raw(net, seen, spoken(curve)))
        shifted.append(raw(net, seen, spoken(np.roll(curve, 110))))
        swapped.append(raw(net, seen, spoken(syllables(100 + seed))))
    assert auc(np.array(matched), np.array(shifted)) >= 0.9
    assert auc(np.array(matched), np.array(swapped)) >= 0.9


@pytest.mark.parametrize("late_s", [-0.2, 0.2])
def test_the_delay_of_a_call_is_found_and_is_not_held_against_it(net: SyncNet, late_s: float) -> None:
    curve = syllables(3)
    seen = crops(curve)
    late = read_window(net, window(seen, spoken(np.roll(curve, round(late_s * 100)))))
    in_step = read_window(net, window(seen, spoken(curve)))
    assert late.offset_s - in_step.offset_s == pytest.approx(late_s, abs=0.081)
    assert late.raw > raw(net, seen, spoken(np.roll(curve, 110)))


def test_an_offset_is_only_looked_for_where_a_call_may_have_it(net: SyncNet) -> None:
    curve = syllables(5)
    found = [read_window(net, window(crops(curve), spoken(np.roll(curve, k)))).offset_s for k in (-90, 0, 90)]
    assert all(abs(offset_s) <= NEAR_S + 1e-6 for offset_s in found)
    assert LAGS_S[0] == pytest.approx(-1.0)


def test_neither_the_level_of_the_sound_nor_the_light_on_the_face_matters(net: SyncNet) -> None:
    curve = syllables(4)
    sound = spoken(curve)
    expected = raw(net, crops(curve), sound)
    assert raw(net, crops(curve), 0.01 * sound) == pytest.approx(expected, abs=1e-3)
    assert raw(net, crops(curve, light=0.7), sound) == pytest.approx(expected, abs=0.25)


def frozen(seen: Iterable[FaceCrop]) -> tuple[FaceCrop, ...]:
    return tuple(replace(crop, pixels=drawn(0.5)) for crop in seen)


SEEN, SOUND = crops(syllables(1)), spoken(syllables(1))
PROFILE = TEMPLATE.copy()
PROFILE[3:, 0] = (107, 117)


@pytest.mark.parametrize(
    ("judged", "speech_s", "reason"),
    [
        (window(SEEN, SOUND), 3.0, None),
        (window(SEEN, SOUND, n_lost=WINDOW_SAMPLES // 2), 3.0, Reason.LOST),
        (window(SEEN, SOUND), 0.9, Reason.SILENCE),
        (window(SEEN[:9], SOUND), 3.0, Reason.NO_FACE),
        (window(SEEN[:10], SOUND), 3.0, None),
        (window(tuple(replace(crop, face_px=47.0) for crop in SEEN), SOUND), 3.0, Reason.SMALL_FACE),
        (window(tuple(replace(crop, sharpness=14.0) for crop in SEEN), SOUND), 3.0, Reason.BLURRED),
        (window(tuple(replace(crop, landmarks=PROFILE) for crop in SEEN), SOUND), 3.0, Reason.NO_MOUTH),
        (window(frozen(SEEN), SOUND), 3.0, Reason.NO_MOUTH),
    ],
)
def test_what_cannot_be_judged_says_why(judged: SyncWindow, speech_s: float, reason: Reason | None) -> None:
    assert gate(judged, speech_s) is reason


def test_a_window_without_pictures_is_lost() -> None:
    nothing = replace(window(SEEN, SOUND).face, crops=(), n_pictures=0)
    assert gate(replace(window(SEEN, SOUND), face=nothing), 3.0) is Reason.LOST


def test_a_checkpoint_of_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    described, state = sync.checkpoint.load("sync")
    monkeypatch.setattr(sync.checkpoint, "load", lambda name: (replace(described, module={"n_components": 9}), state))
    with pytest.raises(CheckpointError, match=r"^checkpoint 'sync' does not fit SyncNet: "):
        load_sync()


def test_up_is_bona_fide_and_no_score_says_more_than_the_decision_takes_off() -> None:
    calibration = load_sync()[1].calibration
    assert calibration.llrs[0] < 0 < calibration.llrs[-1]
    assert calibration.llrs[0] > -1
    assert calibration.llrs[-1] < 1


def held_out_windows(activity: VoiceActivity) -> list[SyncWindow]:
    """Return the first window that can be judged of each genuine clip that the checkpoint was not trained on."""
    if not (DATA / "manifest.csv").is_file():
        pytest.skip("shared data is not here")
    finder, found = FaceFinder(), []
    for trial in read_manifest(DATA / "manifest.csv"):
        if trial.source not in HELD_OUT or trial.label != BONA_FIDE or trial.kind != "video":
            continue
        try:
            voices = voice_windows(decode(DATA / trial.file))[:1]
        except IndexError:
            continue  # a clip without sound
        if not voices or speech_seconds(activity.window(voices[0].samples)) < sync.MIN_SPEECH_S:
            continue
        tracker = FaceTracker()
        seen = [(t, crops_of(rgb, t, tracker.update(t, finder.find(rgb)))) for t, rgb in pictures(DATA / trial.file)]
        found += [w for w in sync_windows(face_windows(seen), voices) if gate(w, 4.0) is None][:1]
    return found


@pytest.mark.shared_data
def test_people_never_trained_on_fit_their_own_voice_better_than_a_shifted_or_anothers(net: SyncNet) -> None:
    windows = held_out_windows(VoiceActivity())
    assert len(windows) >= 8
    own = np.array([read_window(net, w).raw for w in windows])
    wrong = []
    for place, one in enumerate(windows):
        sounds = [np.roll(one.samples, round(by_s * SAMPLE_RATE_HZ)) for by_s in (-1.6, -1.0, 1.0, 1.6)]
        sounds += [other.samples for other in windows[:place] + windows[place + 1 :]]
        wrong += [
            read_window(net, replace(one, voice=voice_window(one.start_s, one.end_s, sound))).raw for sound in sounds
        ]
    assert auc(own, np.array(wrong)) >= 0.65  # .70 when it was trained
