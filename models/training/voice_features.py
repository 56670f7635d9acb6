"""What the views that are not trained here see of every clip of a store: computed once, kept in a file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from models import prosody, voice_speech
from models.engine import Engine
from models.prosody import ProsodyBlocks
from models.training.voice_data import ClipStore, middle_window
from models.voice import BLOCK_SAMPLES, N_BLOCKS, load_speech_blocks, speech_blocks_digest

Floats = npt.NDArray[np.float32]

AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFeatures:
    """Features of windows, one row each."""

    speech: Floats
    """(N, voice_speech.N_FEATURES)."""
    prosody: Floats
    """(N, prosody.N_FEATURES)."""


class Listener:
    """Computes features of windows."""

    def __init__(self) -> None:
        example = torch.zeros(2, BLOCK_SAMPLES)
        self._speech = Engine("cpu").load(load_speech_blocks(), example, speech_blocks_digest(), is_exact=True)
        self._prosody = ProsodyBlocks().eval()

    @torch.inference_mode()
    def __call__(self, windows: npt.NDArray[np.float32]) -> ViewFeatures:
        """Return the features of windows (N, WINDOW_SAMPLES)."""
        parts = [self._part(windows[i : i + AT_ONCE]) for i in range(0, len(windows), AT_ONCE)]
        speech, melody = (np.concatenate(column) for column in zip(*parts, strict=True))
        return ViewFeatures(speech=speech, prosody=melody)

    @torch.inference_mode()
    def a_second_apart(self, sound: npt.NDArray[np.float32]) -> ViewFeatures:
        """Return the features of a sound's windows a second apart, which share their blocks; whole seconds (S,)."""
        speech, melody = self._rows(sound.reshape(-1, BLOCK_SAMPLES))
        starts = range(len(speech) - N_BLOCKS + 1)
        return _features(*(torch.stack([rows[a : a + N_BLOCKS] for a in starts]) for rows in (speech, melody)))

    def _part(self, windows: npt.NDArray[np.float32]) -> tuple[Floats, Floats]:
        rows = self._rows(windows.reshape(-1, BLOCK_SAMPLES))
        found = _features(*(some.reshape(len(windows), N_BLOCKS, -1) for some in rows))
        return found.speech, found.prosody

    def _rows(self, blocks: npt.NDArray[np.float32]) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(self._speech(blocks)), self._prosody(torch.from_numpy(blocks))


def _features(speech: torch.Tensor, melody: torch.Tensor) -> ViewFeatures:
    """Return the features of windows from the rows of their blocks, (N, N_BLOCKS, ...) each."""
    return ViewFeatures(
        speech=voice_speech.window_features(speech).numpy(), prosody=prosody.window_features(melody).numpy()
    )


def of_store(store: ClipStore, kept: Path) -> ViewFeatures:
    """Return the features of the middle window of every clip, computed first where `kept` does not hold them.

    Args:
        store: The clips.
        kept: A `.npz` file of this store and of no other.
    """
    if kept.is_file():
        with np.load(kept) as found:
            if len(found["speech"]) == len(store):
                return ViewFeatures(speech=found["speech"].astype(np.float32), prosody=found["prosody"])
    listen, parts = Listener(), []
    for start in range(0, len(store), 64):
        rows = range(start, min(start + 64, len(store)))
        parts.append(listen(np.stack([middle_window(store[row]) for row in rows]).astype(np.float32)))
    speech = np.concatenate([part.speech for part in parts])
    melody = np.concatenate([part.prosody for part in parts])
    kept.parent.mkdir(parents=True, exist_ok=True)
    part_file = kept.with_suffix(".part.npz")
    np.savez(part_file, speech=speech.astype(np.float16), prosody=melody)
    part_file.replace(kept)
    return ViewFeatures(speech=speech, prosody=melody)
