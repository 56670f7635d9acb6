"""What is left out is scored by the right model, cut alike for every length, and reported by source."""

import numpy as np
import pytest

from models.training.voice_conditions import conditions
from models.training.voice_features import Listener
from models.training.voice_long import sums
from models.training.voice_report import by_condition, by_length, by_source, by_view
from models.training.voice_scores import ALL_EVERY, CALLS, CALLS_EVERY, LeftOut, _chosen, whole_seconds
from models.window import SAMPLE_RATE_HZ, WINDOW_SAMPLES


def left_out(
    raw: float,
    *,
    source: str = "page",
    attack: str = "-",
    era: str = "modern",
    condition: str = "clean",
    file: str = "a",
) -> LeftOut:
    return LeftOut(
        file=file,
        source=source,
        attack=attack,
        era="modern",
        speaker="",
        language="en",
        condition=condition,
        raws=(raw,),
        speech_s=(4.0,),
        views=((raw, -raw, 0.0),),
    )


def page(source: str, shift: float, n: int = 40) -> list[LeftOut]:
    rng = np.random.default_rng(len(source))
    return [
        left_out(float(raw) + shift + (1.5 if n % 2 else -1.5), source=source, attack="-" if n % 2 else "tts")
        for n, raw in enumerate(rng.normal(size=n))
    ]


def test_a_clip_is_cut_to_whole_seconds_and_a_short_one_filled_up() -> None:
    assert whole_seconds(np.ones(WINDOW_SAMPLES + 2 * SAMPLE_RATE_HZ + 9, np.float32)).size == 6 * SAMPLE_RATE_HZ
    short = whole_seconds(np.ones(1_000, np.float32))
    assert short.shape == (WINDOW_SAMPLES,)
    assert short.sum() == 1_000


def test_every_clip_is_scored_as_it_is_and_some_in_every_condition() -> None:
    named = conditions([np.zeros(10, np.float32)])
    assert set(_chosen(named, 1)) == {"clean"}
    assert set(_chosen(named, CALLS_EVERY)) == {"clean", *CALLS}
    assert set(_chosen(named, ALL_EVERY)) == {"clean", *named}


def test_windows_that_share_blocks_are_seen_as_each_alone_would_be() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 6 * SAMPLE_RATE_HZ).astype(np.float32)
    listen = Listener()
    shared = listen.a_second_apart(sound)
    alone = listen(np.stack([sound[a * SAMPLE_RATE_HZ :][:WINDOW_SAMPLES] for a in range(3)]))
    assert np.allclose(shared.speech, alone.speech, atol=1e-2)
    assert np.allclose(shared.prosody, alone.prosody, atol=1e-3)


def test_a_longer_stretch_is_the_mean_of_its_windows_and_never_mixes_systems() -> None:
    clips = [left_out(float(n)) for n in range(9)] + [left_out(100.0, attack="tts") for _ in range(3)]
    assert [raw for raw, _ in sums(clips, 10)] == [0.5, 2.5, 4.5, 6.5, 100.0]
    assert [clip.attack for _, clip in sums(clips, 30)] == ["-"]


def test_more_speech_separates_better_over_the_same_windows() -> None:
    table = by_length([clip for name in ("a", "b", "c") for clip in page(name, 0.0, 200)])
    errors = [1 - table[f"{seconds} s"]["all"]["auc"] for seconds in (4, 10, 30)]
    assert errors[0] > errors[1] >= errors[2]


def test_a_view_that_turns_the_sign_is_seen() -> None:
    table = by_view([clip for name in ("a", "bb") for clip in page(name, 0.0)])
    assert table["speech"]["all"]["auc"] == pytest.approx(1 - table["spectral"]["all"]["auc"], abs=2e-3)


def test_a_sources_own_figure_does_not_know_its_shift() -> None:
    table = by_source([*page("low", -9.0), *page("high", 9.0)])
    assert table["low"]["auc"] > 0.9
    assert table["low"]["median_bona_fide"] < table["high"]["median_spoof"]


def test_a_condition_is_compared_with_the_same_clips() -> None:
    clean = [left_out(float(n), file=str(n), attack="-" if n > 4 else "tts") for n in range(10)]
    called = [left_out(-float(n), file=str(n), attack="-" if n > 4 else "tts", condition="g711") for n in range(4, 7)]
    line = by_condition([*clean, *called])["g711"]["all"]
    assert (line["auc"], line["auc_clean_of_the_same"]) == (0.0, 1.0)
