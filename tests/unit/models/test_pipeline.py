"""Traits of pipelines on media whose making is known, and what their rarity is worth."""

from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import CheckpointError
from models.pipeline import (
    MAX_NAT,
    PipelineModel,
    evidence,
    load_pipeline,
    oddity,
    rarity,
    save_pipeline,
    shipped_pipeline,
)
from models.pipeline_clock import ClockTraits
from models.pipeline_pictures import MIN_PICTURES, Luma, PictureTraits, luma_of
from models.pipeline_sound import SoundTraits
from models.traits import Trait

RATE_HZ = 30
SOUND_HZ = 48_000


def scene(i: float) -> np.ndarray:
    """A bright square that moves over a slope of grey."""
    picture = np.tile(np.linspace(60, 120, 320, dtype=np.float32), (240, 1))
    x = 80 + 60 * np.sin(i / 9)
    across = np.arange(320)
    picture += 80 * np.clip(1 - np.abs(across - x) / 40, 0, 1)[None, :] * (np.arange(240) > 60)[:, None]
    return picture


def watched(pictures: list[np.ndarray]) -> dict[Trait, float]:
    traits = PictureTraits()
    for i, picture in enumerate(pictures):
        traits.push(i / RATE_HZ, np.clip(picture, 0, 255).astype(np.uint8))
    return traits.values()


def filmed(n: int = 240, sigma: float = 1.5) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [scene(i) + sigma * rng.standard_normal((240, 320)) for i in range(n)]


def test_a_camera_has_no_trait_of_a_generator() -> None:
    found = watched(filmed())
    assert found[Trait.REPEATED] < 0.05
    assert found[Trait.STILL] < 0.02
    assert found[Trait.INTERPOLATED] < 0.1
    assert found[Trait.PUMPING] < 0.5


def test_pictures_that_are_held_are_repeats() -> None:
    pictures = filmed()
    assert watched([pictures[i // 2 * 2] for i in range(240)])[Trait.REPEATED] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("period", [2, 3])
def test_pictures_that_are_blends_of_their_neighbours_are_told(period: int) -> None:
    pictures = filmed()
    blends = []
    for i in range(240 - period):
        first, share = i // period * period, i % period / period
        blends.append(pictures[first] * (1 - share) + pictures[first + period] * share)
    assert watched(blends)[Trait.INTERPOLATED] > 0.3


def test_what_stands_perfectly_still_is_told_while_the_rest_moves() -> None:
    assert watched([scene(i) for i in range(240)])[Trait.STILL] > 0.4


def test_of_a_scene_without_motion_nothing_is_said() -> None:
    assert set(watched([scene(0)] * 240)) == {Trait.PUMPING}
    assert watched(filmed(MIN_PICTURES)) == {}


def test_key_pictures_of_a_recording_are_a_beat() -> None:
    rng = np.random.default_rng(3)
    grain = 3 * rng.standard_normal((240, 320))
    beat = [scene(i) + grain * (1 - i % 30 / 30) + 0.3 * rng.standard_normal((240, 320)) for i in range(240)]
    assert watched(beat)[Trait.PUMPING] > 0.7


def test_another_shape_begins_anew() -> None:
    traits = PictureTraits()
    for i, picture in enumerate([*filmed(), np.zeros((120, 160))]):
        traits.push(i / RATE_HZ, picture.astype(np.uint8))
    assert traits.values() == {}


def test_luma_leaves_out_what_pads_a_row() -> None:
    luma: Luma = luma_of(bytes(range(24)), 8, 5, 3)
    assert luma.tolist() == [[0, 1, 2, 3, 4], [8, 9, 10, 11, 12], [16, 17, 18, 19, 20]]


def speech(seconds: float = 8.0, pause: float = 0.001) -> np.ndarray:
    """Harmonics that glide, in syllables, with pauses."""
    rng = np.random.default_rng(5)
    time_s = np.arange(round(seconds * SOUND_HZ)) / SOUND_HZ
    pitch = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * time_s)) / SOUND_HZ
    voice = sum(np.sin(k * pitch) / k for k in range(1, 80))
    is_said = np.sin(2 * np.pi * 0.8 * time_s) > -0.4
    return np.asarray(0.1 * voice * is_said + pause * rng.standard_normal(len(time_s)), np.float32)


def heard(samples: np.ndarray, rate_hz: int = SOUND_HZ) -> dict[Trait, float]:
    traits = SoundTraits()
    for i in range(0, len(samples), 960):
        traits.push(samples[i : i + 960].astype(np.float32), rate_hz)
    return traits.values()


def test_pauses_of_a_room_are_not_zero_and_those_of_a_generator_are() -> None:
    assert heard(speech())[Trait.DIGITAL_ZERO] == 0
    assert heard(speech(pause=0.0))[Trait.DIGITAL_ZERO] > 0.9
    assert heard(speech(1.0)) == {}


def test_an_image_above_half_of_a_sample_rate_is_told() -> None:
    plain = speech(pause=1e-5)
    spectrum = np.fft.rfft(plain)
    hz = np.fft.rfftfreq(len(plain), 1 / SOUND_HZ)
    low = np.fft.irfft(np.where(hz < 4000, spectrum, 0), len(plain))
    held = np.repeat(low[:: SOUND_HZ // 8000], SOUND_HZ // 8000)
    assert heard(held + 1e-5 * np.random.default_rng(1).standard_normal(len(held)))[Trait.MIRRORED] > 0.4
    assert heard(plain)[Trait.MIRRORED] < 0.3


def test_a_band_that_ends_where_no_codec_cuts_is_told() -> None:
    plain = speech(pause=0.002)
    spectrum, hz = np.fft.rfft(plain), np.fft.rfftfreq(len(plain), 1 / SOUND_HZ)
    cut = {edge: np.fft.irfft(np.where(hz < edge, spectrum, 0), len(plain)) for edge in (5000, 8000)}
    assert heard(cut[5000])[Trait.BAND_EDGE] > heard(cut[8000])[Trait.BAND_EDGE] + 10


def clocks(ppm: float, seconds: float = 40.0) -> dict[Trait, float]:
    rng = np.random.default_rng(4)
    traits = ClockTraits()
    for i in range(round(seconds * 50)):
        late_s = 0.03 + rng.exponential(0.004)
        traits.push_sound(i / 50 * (1 + ppm * 1e-6), i / 50 + late_s)
        if i % 2 == 0:
            traits.push_picture(i / 50, i / 50 + late_s)
    return traits.values()


def test_a_clock_that_runs_off_is_told_through_the_jitter_of_a_network() -> None:
    assert clocks(0)[Trait.CLOCK_RATE] < 100
    found = clocks(3000)
    assert found[Trait.CLOCK_RATE] == pytest.approx(3000, rel=0.05)
    assert found[Trait.CLOCKS_APART] == pytest.approx(3000, rel=0.05)
    assert Trait.CLOCK_RATE not in clocks(0, seconds=10)


def test_even_time_stamps_are_told() -> None:
    assert clocks(0)[Trait.EVEN_CLOCK] == 1.0
    rng, traits = np.random.default_rng(4), ClockTraits()
    for i in range(300):
        traits.push_picture(i / 30 + rng.normal(0, 0.002), i / 30)
    assert traits.values()[Trait.EVEN_CLOCK] < 0.1


def test_over_bona_fide_calls_the_evidence_is_worth_one_on_average_at_most() -> None:
    for n in (5, 50, 5000):
        likelihoods = [np.exp(evidence(rank / (n + 1))) for rank in range(1, n + 2)]
        assert np.mean(likelihoods) <= 1.2
    assert evidence(1e-9) == MAX_NAT
    assert evidence(1.0) == 0.0


def test_few_calls_to_compare_with_can_say_little() -> None:
    assert rarity(9.0, ()) is None
    assert rarity(9.0, (1.0, 2.0, 3.0)) == 0.25
    few = PipelineModel(values={Trait.STILL: (0.1,) * 5}, oddities=(0.0,) * 5)
    many = PipelineModel(values={Trait.STILL: (0.1,) * 500}, oddities=(0.0,) * 500)
    odd = {Trait.STILL: 0.9, Trait.EVEN_CLOCK: 1.0}
    assert few.judge(odd).llr == 0
    assert many.judge(odd).llr < -1
    assert many.judge({Trait.STILL: 0.05}).llr == 0
    by_trait = {reading.trait: reading for reading in many.judge(odd).traits}
    assert by_trait[Trait.STILL].is_unusual
    assert by_trait[Trait.EVEN_CLOCK].p is None
    assert not by_trait[Trait.EVEN_CLOCK].is_unusual


def test_one_very_rare_trait_is_odd_however_many_are_ordinary() -> None:
    ordinary = [0.2, 0.4, 0.6, 0.8] * 3
    assert oddity([0.005, *ordinary]) > oddity([0.1, 0.1, *ordinary]) > oddity(ordinary)


def test_a_call_without_anything_to_compare_says_nothing() -> None:
    assert PipelineModel().judge({Trait.STILL: 0.9}).llr == 0
    assert shipped_pipeline().judge({}).traits == ()


def test_what_is_written_is_read_again_and_damage_is_named(tmp_path: Path) -> None:
    model = PipelineModel(values={Trait.STILL: (0.1, 0.25)}, oddities=(-0.5, 1.5), note="two calls")
    save_pipeline(model, tmp_path / "pipeline.json")
    assert load_pipeline(tmp_path) == model
    (tmp_path / "pipeline.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"cannot read what bona fide pipelines are like in .*pipeline\.json"):
        load_pipeline(tmp_path)
