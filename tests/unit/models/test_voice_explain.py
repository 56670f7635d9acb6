"""Attribution finds what a network goes by: a planted sound in one band and moment, never a pause."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.audio_features import HOP_LENGTH, LogSpectrum
from models.explanation import VoiceExplanation
from models.voice import load_voice
from models.voice_explain import (
    ENERGY_FLOOR_DB,
    N_BANDS,
    N_COLUMNS,
    ExplainedView,
    Judge,
    contributions,
    explain_voice,
    worst_cells,
)
from models.window import SAMPLE_RATE_HZ, WINDOW_S, WINDOW_SAMPLES

FRONT_END = LogSpectrum()
START_S = 12.5


def noise(seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.05, WINDOW_SAMPLES).astype(np.float32)


def whistle(samples: npt.NDArray[np.float32], hz: float, start_s: float, end_s: float) -> npt.NDArray[np.float32]:
    """Add a loud tone for a while."""
    time_s = np.arange(WINDOW_SAMPLES) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * hz * time_s) * ((time_s >= start_s) & (time_s < end_s))
    return np.asarray(samples + 0.3 * tone, np.float32)


def loudness(spectrum: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """A network that takes whatever is louder than the mean for a spoof."""
    return -torch.relu(spectrum * mask).square().mean(dim=(1, 2))


def view(judge: Judge, weight: float = 1.0) -> ExplainedView:
    return ExplainedView(front_end=FRONT_END, judge=judge, weight=weight)


def explained(samples: npt.NDArray[np.float32]) -> VoiceExplanation:
    return explain_voice(torch.from_numpy(samples), [view(loudness)], start_s=START_S)


@pytest.mark.parametrize(("hz", "at_s"), [(5600.0, 1.0), (900.0, 2.5), (7800.0, 0.0), (100.0, 3.5)])
def test_a_planted_sound_is_found_in_its_band_and_its_moment(hz: float, at_s: float) -> None:
    found = explained(whistle(noise(), hz, at_s, at_s + 0.5))
    assert found.spoof.shape == found.energy_db.shape == (N_BANDS, N_COLUMNS)
    row, column = found.spoof.sum(axis=1).argmax(), found.spoof.sum(axis=0).argmax()
    assert row == int(hz / found.top_hz * N_BANDS)
    assert abs((column + 0.5) / N_COLUMNS * WINDOW_S - at_s - 0.25) < 0.3
    assert found.stretches_s == ((START_S + at_s, START_S + at_s + 0.5),)
    assert found.band_hz is not None
    assert found.band_hz[0] <= hz <= found.band_hz[1]
    assert found.band_hz[1] - found.band_hz[0] <= 1500


def test_what_speaks_for_bona_fide_is_negative_and_no_stretch_is_named_for_it() -> None:
    samples = torch.from_numpy(whistle(noise(), 5600, 1, 1.5))
    found = explain_voice(samples, [view(lambda *spectrum: -loudness(*spectrum))], start_s=0)
    assert (found.spoof.min(), found.spoof.max() <= 0) == (-1, True)
    assert (found.stretches_s, found.band_hz) == ((), None)


def test_a_pause_carries_nothing_and_is_at_the_floor() -> None:
    samples = whistle(noise(), 5600, 0.5, 1.5)
    samples[2 * SAMPLE_RATE_HZ : 3 * SAMPLE_RATE_HZ] = 0
    found = explained(samples)
    pause = slice(N_COLUMNS // 2 + 1, 3 * N_COLUMNS // 4 - 1)
    assert (found.spoof[:, pause] == 0).all()
    assert (found.energy_db[:, pause] == ENERGY_FLOOR_DB).all()
    assert (found.spoof[:, : N_COLUMNS // 4] != 0).all()


def test_loudness_is_told_in_steps_under_the_loudest_cell() -> None:
    found = explained(whistle(noise(), 5600, 1, 1.5))
    assert found.energy_db.max() == 0
    assert np.unravel_index(found.energy_db.argmax(), found.energy_db.shape)[0] == int(5600 / 8000 * N_BANDS)
    assert set(np.unique(found.energy_db) % 6) == {0}


def test_contributions_of_the_network_add_up_to_its_score() -> None:
    net = load_voice().model.spectral
    with torch.no_grad():
        spectrum, mask = net.spectrum(torch.from_numpy(whistle(noise(), 3000, 1, 2))[None])
        differs = net.judge(spectrum, mask) - net.judge(torch.zeros_like(spectrum), mask)
    added = contributions(spectrum, mask, net.judge)
    assert added.shape == (spectrum.shape[1], 1 + (WINDOW_SAMPLES - 400) // HOP_LENGTH)
    assert -added.sum().item() == pytest.approx(differs.item(), abs=0.3 * abs(differs.item()) + 0.3)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_a_view_counts_for_its_weight() -> None:
    samples = torch.from_numpy(whistle(noise(), 3000, 1, 2))
    one = view(loudness).cells(samples)
    assert np.allclose(view(loudness, 3.0).cells(samples), 3 * one)
    assert np.allclose(explain_voice(samples, [view(loudness), view(loudness, -1.0)], start_s=0).spoof, 0)


def test_the_views_of_the_model_add_up_to_its_score_but_for_melody() -> None:
    loaded, samples = load_voice(), torch.from_numpy(whistle(noise(), 3000, 1, 2))
    views = loaded.explained(samples)
    assert [explained_view.weight for explained_view in views] == loaded.model.fusion[:2].tolist()
    speech = views[0]
    with torch.no_grad():
        spectrum, mask = speech.front_end(samples[None])
        differs = speech.judge(spectrum, mask) - speech.judge(torch.zeros_like(spectrum), mask)
    assert -contributions(spectrum, torch.ones_like(mask), speech.judge).sum().item() == pytest.approx(
        differs.item(), abs=0.3 * abs(differs.item()) + 0.5
    )


def columns(*strong: int) -> npt.NDArray[np.float32]:
    grid = np.zeros((N_BANDS, N_COLUMNS), np.float32)
    for column, weight in zip(strong, np.linspace(1, 0.9, len(strong)), strict=True):
        grid[3:6, column : column + 4] = weight
    return grid


def test_a_second_stretch_is_named_if_it_is_nearly_as_strong_and_two_that_touch_are_one() -> None:
    assert worst_cells(columns(20, 3)) == (((3, 7), (20, 24)), (3, 6))
    assert worst_cells(columns(8, 12)) == (((8, 16),), (3, 6))
    assert worst_cells(columns(20) + 0.5 * columns(3)) == (((20, 24),), (3, 6))
    assert worst_cells(-columns(20)) == ((), None)


def test_bands_between_which_much_speaks_for_bona_fide_are_not_named_together() -> None:
    grid = columns(20)
    grid[10:14], grid[8] = 0.9 * grid[3], -4 * grid[3]
    assert worst_cells(grid) == (((20, 24),), (10, 14))
