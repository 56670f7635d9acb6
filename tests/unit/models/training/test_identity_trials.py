from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.calibration import Calibration
from models.drift import Piece
from models.training.identity_calls import voice_calls, watch
from models.training.identity_report import by_channel, crossed
from models.training.identity_trials import (
    LIMIT_NAT,
    IdentityTrial,
    apart,
    calibrated,
    clone_trials,
    long_trials,
    voice_trials,
)
from models.training.identity_voices import Voice, VoiceClip, read_voices

HEADER = "file,label,attack,attack_type,kind,source,speaker,seconds,path\n"


def voice(source: str, speaker: str, recording: str, *, channel: str = "wideband", attack_type: str = "-") -> Voice:
    """Return a voice of four pieces; each speaker has a direction, each recording a little of its own."""
    rng = np.random.default_rng(sum(map(ord, recording + speaker)))
    base = np.random.default_rng(sum(map(ord, speaker))).normal(size=64)
    pieces = []
    for n in range(4):
        vector = (base + rng.normal(0, 0.4, 64)).astype(np.float32)
        vector /= np.linalg.norm(vector)
        pieces.append(Piece(vector=vector, start_s=0.8 * n, end_s=0.8 * n + 1.6, new_s=1.6 if n == 0 else 0.8))
    clip = VoiceClip(
        path=Path(f"{source}-{speaker}-{recording}-{attack_type}"),
        source=source,
        speaker=speaker,
        recording=recording,
        attack_type=attack_type,
    )
    return Voice(clip=clip, channel=channel, pieces=tuple(pieces))


@pytest.fixture
def voices() -> list[Voice]:
    """Three pages of four speakers with three recordings each; one speaker is on two pages."""
    return [
        voice(f"page{page}", f"libri_{0 if (page, n) == (1, 0) else 10 * page + n}", f"{page}/{n}/{take}")
        for page in range(3)
        for n in range(4)
        for take in range(3)
    ]


def test_people_are_compared_within_their_page_and_never_with_the_same_recording(voices: list[Voice]) -> None:
    trials = voice_trials(voices)
    assert {trial.source for trial in trials} == {"page0", "page1", "page2"}
    assert sum(trial.is_same for trial in trials) == len(voices)
    assert sum(not trial.is_same for trial in trials) == 3 * len(voices)
    alone = [replace(one, clip=replace(one.clip, recording="one")) for one in voices]
    assert not any(trial.is_same for trial in voice_trials(alone))


def test_one_person_is_nearer_than_two(voices: list[Voice]) -> None:
    figures = by_channel(voice_trials(voices))["all"]
    assert figures["auc"] > 0.99
    assert figures["cllr"] < 0.5


def test_what_calibrates_knows_neither_the_page_nor_its_people(voices: list[Voice]) -> None:
    trials = voice_trials(voices)
    known = apart(trials, "page1")
    assert {trial.source for trial in known} == {"page0", "page2"}
    assert not {person for trial in known for person in trial.people} & {"libri_0", "libri_11"}


def test_a_map_rises_and_is_bounded_even_where_one_and_two_never_meet() -> None:
    trials = [
        IdentityTrial(source=f"p{n % 3}", people=frozenset({f"a{n}"} if same else {f"a{n}", f"b{n}"}),
                      cosine=0.9 + 0.001 * n if same else 0.5 + 0.001 * n, caller_s=3.0, channel="wideband")
        for n in range(12)
        for same in (True, False)
    ]  # fmt: skip
    calibration = calibrated(trials)
    llrs = [calibration.llr(cosine) for cosine in np.linspace(-1, 1, 50)]
    assert llrs == sorted(llrs)
    assert abs(calibration.llr(0.706)) < 0.2
    assert calibration.llr(0.5) < -2 < 2 < calibration.llr(0.9)
    assert max(map(abs, llrs)) <= LIMIT_NAT + 0.1
    with pytest.raises(ValueError, match="one person and of two"):
        calibrated([trial for trial in trials if trial.is_same])


def test_scores_that_tell_nothing_calibrate_to_nothing() -> None:
    rng = np.random.default_rng(3)
    trials = [
        IdentityTrial(
            source=f"p{n % 4}",
            people=frozenset({f"a{n}"} if n % 2 else {f"a{n}", f"b{n}"}),
            cosine=float(rng.normal()),
            caller_s=3.0,
            channel="wideband",
        )
        for n in range(400)
    ]
    assert np.abs(crossed(trials)).mean() < 0.3


def test_clones_are_compared_with_whom_they_imitate(voices: list[Voice]) -> None:
    clone = voice("page2", "libri_21", "clone", attack_type="tts")
    (trial,) = clone_trials([*voices, clone])
    assert (trial.people, trial.attack_type) == (frozenset({"libri_21"}), "tts")
    assert trial.cosine > 0.6


def test_long_callers_leave_a_reference_of_other_recordings(voices: list[Voice]) -> None:
    trials = long_trials(voices, 6.0)
    assert trials
    assert min(trial.caller_s for trial in trials) >= 6.0
    assert long_trials(voices, 60.0) == []


def test_drift_tells_calls_that_change_from_calls_that_do_not(voices: list[Voice]) -> None:
    # Eleven people are too few to calibrate a change: no line through them is steep enough.
    calibration = Calibration(raws=(0.2, 0.6, 1.0), llrs=(-4.0, 0.0, 4.0))
    calls = voice_calls(voices, "wideband")
    said = [watch(call, calibration, 3.0) for call in calls]
    assert {one.found > 0 for one in said if one.is_changed} == {True}
    assert {one.found for one in said if not one.is_changed} == {0}
    assert all(abs(one.off_s) < 1.5 for one in said if one.off_s is not None)


def test_only_speakers_with_two_recordings_are_compared(tmp_path: Path) -> None:
    rows = [
        "1,bona_fide,-,-,audio,a/page,vctk_p1,5,x.wav",
        "2,bona_fide,-,-,audio,a/page,vctk_p1,5,y.wav",
        "3,bona_fide,-,-,audio,a/page,vctk_p2,5,z.wav",
        "4,bona_fide,-,-,audio,a/page,vctk_p2,5,z.wav",
        "5,spoof,X,tts,audio,a/page,vctk_p1,5,s.wav",
        "6,spoof,X,tts,audio,a/page,vctk_p9,5,t.wav",
        "7,bona_fide,-,-,audio,b/page,John,5,j.wav",
        "8,bona_fide,-,-,audio,b/page,John,5,k.wav",
        "9,bona_fide,-,-,audio,b/page,,5,l.wav",
    ]
    (tmp_path / "manifest.csv").write_text(HEADER + "\n".join(rows) + "\n")
    found = read_voices(tmp_path)
    assert {(clip.path.name, clip.speaker) for clip in found} == {
        ("1", "vctk_p1"),
        ("2", "vctk_p1"),
        ("5", "vctk_p1"),
        ("7", "b/page:John"),
        ("8", "b/page:John"),
    }
    assert [clip.path.name for clip in found][-1] == "5"
