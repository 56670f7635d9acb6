"""Laws of the windower: any split of the input gives the same windows; nothing is lost without a count."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.preprocess import TEMPLATE
from models.window import (
    CROP_PX,
    HOP_S,
    HOP_SAMPLES,
    SAMPLE_RATE_HZ,
    WINDOW_S,
    WINDOW_SAMPLES,
    FaceCrop,
    FaceWindow,
    Samples,
    SyncWindow,
    VoiceWindow,
    voice_window,
)
from stream.events import AudioFrame, Gap, Medium
from stream.windower import (
    LATENESS_S,
    WAITING_ENDS,
    AudioWindower,
    FacePicture,
    FaceWindower,
    SyncWindower,
    Windower,
)


def sound(n: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).uniform(-1, 1, n).astype(np.float32)


def frames(samples: Samples, cuts: list[int]) -> list[AudioFrame]:
    edges = [0, *sorted(cuts), len(samples)]
    return [AudioFrame(start_s=a / SAMPLE_RATE_HZ, samples=samples[a:b]) for a, b in itertools.pairwise(edges)]


def run(parts: list[AudioFrame]) -> list[VoiceWindow]:
    windower = AudioWindower()
    return [window for part in parts for window in windower.push(part)]


def offline(samples: Samples) -> list[Samples]:
    """The definition: every whole window, a hop apart."""
    return [samples[a : a + WINDOW_SAMPLES] for a in range(0, len(samples) - WINDOW_SAMPLES + 1, HOP_SAMPLES)]


def crop(track: int, time_s: float) -> FaceCrop:
    pixels = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
    return FaceCrop(pixels=pixels, time_s=time_s, track=track, landmarks=TEMPLATE, face_px=100.0, sharpness=100.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 120_000), st.lists(st.integers(0, 120_000), max_size=60))
def test_any_split_of_the_sound_gives_the_windows_of_the_definition(n: int, cuts: list[int]) -> None:
    samples = sound(n)
    windows = run(frames(samples, [cut for cut in cuts if cut <= n]))
    expected = offline(samples)
    assert len(windows) == len(expected)
    for window, wanted in zip(windows, expected, strict=True):
        np.testing.assert_array_equal(window.samples, wanted)
        assert window.n_lost == 0
        assert window.end_s - window.start_s == WINDOW_S


@settings(max_examples=30, deadline=None)
@given(st.integers(WINDOW_SAMPLES, 120_000), st.lists(st.integers(0, 120_000), max_size=60))
def test_windows_share_the_pieces_of_the_sound_that_they_share(n: int, cuts: list[int]) -> None:
    windows = run(frames(sound(n), [cut for cut in cuts if cut <= n]))
    for earlier, later in itertools.pairwise(windows):
        assert all(a is b for a, b in zip(earlier.pieces[1:], later.pieces[:-1], strict=True))
    assert len({piece for window in windows for piece in window.pieces}) == n // HOP_SAMPLES


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=250, max_size=500))
def test_sound_that_never_came_is_zero_and_counted(arrives: list[bool]) -> None:
    packet = 320
    samples = sound(packet * len(arrives))
    parts = [
        part
        for part, came in zip(frames(samples, list(range(packet, len(samples), packet))), arrives, strict=True)
        if came
    ]
    held = np.where(np.repeat(arrives, packet), samples, 0).astype(np.float32)
    for window in run(parts):
        a = round(window.start_s * SAMPLE_RATE_HZ)
        np.testing.assert_array_equal(window.samples, held[a : a + WINDOW_SAMPLES])
        assert window.n_lost == packet * (~np.array(arrives)).repeat(packet)[a : a + WINDOW_SAMPLES].sum() // packet


def test_overlapping_sound_is_taken_once() -> None:
    samples = sound(WINDOW_SAMPLES)
    parts = [AudioFrame(start_s=0.0, samples=samples[:50_000]), AudioFrame(start_s=2.0, samples=samples[32_000:])]
    (window,) = run(parts)
    np.testing.assert_array_equal(window.samples, samples)


def test_a_call_without_sound_still_yields_windows_that_say_so() -> None:
    windows = Windower().advance(WINDOW_S + LATENESS_S + HOP_S)
    voices = [window for window in windows if isinstance(window, VoiceWindow)]
    assert [window.n_lost for window in voices] == [WINDOW_SAMPLES, WINDOW_SAMPLES]
    faces = [window for window in windows if isinstance(window, FaceWindow)]
    assert [(window.track, window.n_pictures, window.end_s) for window in faces] == [(0, 0, 4.0), (0, 0, 4.5)]


def test_a_short_recording_makes_one_window_of_what_there_is() -> None:
    windower = AudioWindower()
    windower.push(AudioFrame(start_s=0.0, samples=sound(20_000)))
    (window,) = windower.finish()
    assert window.n_lost == 0
    assert not window.samples[20_000:].any()
    assert windower.finish() == []


def test_a_window_of_faces_holds_the_crops_of_its_own_seconds() -> None:
    windower = FaceWindower()
    windows = []
    for i in range(36):
        time_s = i / 5
        tracks = (1,) if i < 10 else (1, 2)
        windows += windower.push(FacePicture(time_s=time_s, crops=tuple(crop(t, time_s) for t in tracks)))
    for window in windows:
        assert all(window.start_s <= c.time_s < window.end_s for c in window.crops)
        assert {c.track for c in window.crops} == {window.track}
        assert window.n_pictures == 20
    first = [window for window in windows if window.end_s == WINDOW_S]
    assert [(window.track, len(window.crops)) for window in first] == [(1, 20), (2, 10)]
    assert [window.end_s for window in windows if window.track == 1] == [4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0]


@pytest.mark.parametrize("n_pictures", [1, 12, 19])
def test_a_short_recording_makes_one_window_of_its_faces(n_pictures: int) -> None:
    windower = FaceWindower()
    for i in range(n_pictures):
        assert windower.push(FacePicture(time_s=i / 5, crops=(crop(1, i / 5),))) == []
    (window,) = windower.finish()
    assert len(window.crops) == n_pictures


def test_pictures_that_come_late_are_ignored() -> None:
    windower = FaceWindower()
    windower.push(FacePicture(time_s=4.2, crops=()))
    assert windower.push(FacePicture(time_s=4.0, crops=(crop(1, 4.0),))) == []
    windows = windower.push(FacePicture(time_s=4.6, crops=()))
    assert [window.crops for window in windows] == [()]


def test_a_gap_closes_windows_of_its_own_medium_only() -> None:
    windower = Windower()
    windows = windower.push_gap(Gap(medium=Medium.VIDEO, start_s=0.0, end_s=4.0))
    assert [type(window) for window in windows] == [FaceWindow]
    windows = windower.push_gap(Gap(medium=Medium.AUDIO, start_s=0.0, end_s=4.5))
    assert [type(window) for window in windows] == [VoiceWindow, VoiceWindow]


def seen(end_s: float, *tracks: int) -> list[FaceWindow]:
    crops = {track: (crop(track, end_s - 1),) if track else () for track in tracks}
    return [
        FaceWindow(start_s=end_s - WINDOW_S, end_s=end_s, track=track, crops=crops[track], n_pictures=20)
        for track in tracks
    ]


def heard(end_s: float) -> VoiceWindow:
    return voice_window(end_s - WINDOW_S, end_s, sound(WINDOW_SAMPLES))


@pytest.mark.parametrize("is_sound_first", [True, False])
def test_each_face_and_the_sound_of_its_time_make_one_window_whichever_comes_first(is_sound_first: bool) -> None:
    faces, voice = seen(4.0, 1, 2), heard(4.0)
    first, second = ([voice], faces) if is_sound_first else (faces, [voice])
    windower = SyncWindower()
    assert windower.push(first) == []
    joined = windower.push(second)
    assert [(w.track, w.face, w.voice) for w in joined] == [(1, faces[0], voice), (2, faces[1], voice)]
    assert windower.push([heard(4.5)]) == []


def test_where_nobody_is_seen_there_is_nothing_to_hold_against_the_sound() -> None:
    assert SyncWindower().push([heard(4.0), *seen(4.0, 0)]) == []


def test_what_waits_for_the_other_medium_is_bounded_and_the_oldest_goes() -> None:
    windower = SyncWindower()
    ends = [WINDOW_S + i * HOP_S for i in range(WAITING_ENDS + 5)]
    for end_s in ends:
        windower.push(seen(end_s, 1))
        assert len(windower._faces) <= WAITING_ENDS
    assert [w.end_s for end_s in ends for w in windower.push([heard(end_s)])] == ends[5:]
    assert len(windower._voices) <= WAITING_ENDS


def test_a_call_gives_the_windows_of_both_media_and_of_both_together() -> None:
    windower, windows = Windower(), []
    for i in range(25):
        windows += windower.push_faces(FacePicture(time_s=i / 5, crops=(crop(1, i / 5),)))
        windows += windower.push_audio(AudioFrame(start_s=i / 5, samples=sound(3_200)))
    ends = {kind: [w.end_s for w in windows if isinstance(w, kind)] for kind in (FaceWindow, VoiceWindow, SyncWindow)}
    assert ends == {FaceWindow: [4.0, 4.5], VoiceWindow: [4.0, 4.5, 5.0], SyncWindow: [4.0, 4.5]}


def test_face_and_sound_of_different_times_are_not_joined() -> None:
    with pytest.raises(ValueError, match=r"^face and sound must cover the same time, got 0.0-4.0 s and 0.5-4.5 s$"):
        SyncWindow(face=seen(4.0, 1)[0], voice=heard(4.5))
