from pathlib import Path

import numpy as np
import torch

from models.training.voice_data import Clip, ClipStore
from models.training.voice_spectra import GROUP, TRAIN_SAMPLES, Sampler, SpectralRecipe, Trainer, cut_window, loss_of
from models.window import WINDOW_SAMPLES


def clip(number: int, *, spoof: bool, source: str = "page", attack: str = "tts", era: str = "modern") -> Clip:
    return Clip(
        path=Path(f"{number}.opus"),
        file=f"{number}.opus",
        is_spoof=spoof,
        attack=attack if spoof else "-",
        source=source,
        era=era,
    )


class Levels(ClipStore):
    """A store whose clip number n is n + 1 throughout, so that a window tells where it comes from."""

    def __init__(self, n_clips: int) -> None:
        self.names = [str(number) for number in range(n_clips)]
        self._starts = list(range(n_clips + 1))

    def __getitem__(self, index: int) -> np.ndarray:
        return np.full(WINDOW_SAMPLES, index + 1, np.float32)


def test_a_batch_is_half_bona_fide_within_each_source() -> None:
    clips = tuple(clip(n, spoof=n % 3 == 0, source=f"page{n % 2}") for n in range(30))
    sampler = Sampler(clips, range(len(clips)), [Levels(30)], np.random.default_rng(0))
    samples, labels = sampler.batch(6)
    drawn = [clips[int(row) - 1] for row in samples[:, 0].tolist()]
    assert labels.tolist() == [0.0 if one.is_spoof else 1.0 for one in drawn]
    for start in range(0, len(drawn), GROUP):
        assert len({one.source for one in drawn[start : start + GROUP]}) == 1


def test_rare_systems_are_drawn_as_often_as_common_ones() -> None:
    clips = (clip(0, spoof=False), clip(1, spoof=True, attack="rare"), *(clip(n, spoof=True) for n in range(2, 40)))
    sampler = Sampler(clips, range(len(clips)), [Levels(40)], np.random.default_rng(0))
    samples, labels = sampler.batch(100)
    rare = (samples[labels == 0, 0] == 2).float().mean()
    assert 0.4 < rare < 0.6


def test_copies_of_a_source_are_drawn_as_often_as_one_of_its_systems() -> None:
    copies = (clip(n, spoof=True, attack=f"maker{n}-copy") for n in range(2, 40))
    clips = (clip(0, spoof=False), clip(1, spoof=True, attack="system"), *copies)
    samples, labels = Sampler(clips, range(40), [Levels(40)], np.random.default_rng(0)).batch(100)
    system = (samples[labels == 0, 0] == 2).float().mean()
    assert 0.4 < system < 0.6


def test_only_the_given_clips_are_drawn() -> None:
    clips = tuple(clip(n, spoof=n % 2 == 0) for n in range(8))
    samples, _ = Sampler(clips, [0, 3, 5], [Levels(8)], np.random.default_rng(0)).batch(20)
    assert set(samples[:, 0].tolist()) == {1.0, 4.0, 6.0}


def test_a_source_of_one_class_borrows_the_other() -> None:
    clips = (clip(0, spoof=False, source="speech only"), clip(1, spoof=True, source="spoof only"))
    samples, labels = Sampler(clips, range(len(clips)), [Levels(2)], np.random.default_rng(0)).batch(10)
    assert torch.equal(samples[:, 0] == 1, labels == 1)


def test_short_clips_become_whole_windows() -> None:
    rng = np.random.default_rng(0)
    short = np.ones(20_000, np.float32)
    filled = [cut_window(short, rng) for _ in range(50)]
    assert {window.size for window in filled} == {TRAIN_SAMPLES}
    assert {float(window.sum()) for window in filled} == {20_000.0, 32_000.0}
    assert cut_window(np.ones(90_000, np.float32), rng).size == TRAIN_SAMPLES


def test_the_loss_falls_when_bona_fide_rises() -> None:
    labels = torch.tensor([1.0, 1.0, 0.0, 0.0])
    right = loss_of(torch.tensor([1.0, 1.0, -1.0, -1.0]), labels)
    wrong = loss_of(torch.tensor([-1.0, -1.0, 1.0, 1.0]), labels)
    assert right < loss_of(torch.zeros(4), labels) < wrong


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    clips = tuple(clip(n, spoof=n % 2 == 0) for n in range(4))
    noise = np.random.default_rng(0).normal(0, 0.1, (4, WINDOW_SAMPLES)).astype(np.float32)

    class Noise(Levels):
        def __getitem__(self, index: int) -> np.ndarray:
            return noise[index]

    rng = np.random.default_rng(0)
    recipe = SpectralRecipe(minutes=0.002, n_sources=1, n_channels=4)
    first = Trainer(recipe, Sampler(clips, range(len(clips)), [Noise(4)], rng), rng, tmp_path / "state.pt")
    first.run()
    assert first.n_steps > 0
    again = Trainer(recipe, Sampler(clips, range(len(clips)), [Noise(4)], rng), rng, tmp_path / "state.pt")
    assert again.n_steps == first.n_steps
    assert again.elapsed_s == first.elapsed_s
    for name, tensor in again.average.state_dict().items():
        assert torch.equal(tensor, first.average.state_dict()[name])
