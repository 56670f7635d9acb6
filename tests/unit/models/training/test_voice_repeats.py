from pathlib import Path

import numpy as np

from models.training.voice_codecs import opus
from models.training.voice_data import ClipStore
from models.training.voice_repeats import twins


class Sounds(ClipStore):
    """A store of sounds in memory."""

    def __init__(self, *sounds: np.ndarray) -> None:
        self._sounds = sounds

    def __len__(self) -> int:
        return len(self._sounds)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._sounds[index]


def babble(seed: int) -> np.ndarray:
    """Noise whose loudness in two bands wanders as speech does."""
    rng = np.random.default_rng(seed)
    times = np.arange(80_000)
    loud = [np.exp(2 * np.interp(times, np.arange(0, 84_000, 2_000), rng.normal(size=42))) for _ in range(2)]
    dark = np.convolve(rng.normal(size=80_000), np.ones(12) / 12, mode="same")
    return (0.01 * (loud[0] * dark + 0.2 * loud[1] * rng.normal(size=80_000))).astype(np.float32)


def test_the_same_recording_is_found_behind_a_codec_a_cut_and_a_gain(tmp_path: Path) -> None:
    twin = opus(babble(0)[16_000:] * 0.3, 32_000)
    store = Sounds(babble(1), babble(0), babble(2), twin, babble(3))
    assert twins(store, tmp_path / "twins.json") == {1: [3], 3: [1]}


def test_what_was_found_once_is_read_again(tmp_path: Path) -> None:
    kept = tmp_path / "twins.json"
    found = twins(Sounds(babble(0), babble(1), babble(0)), kept)
    assert twins(Sounds(), kept) == found == {0: [2], 2: [0]}
