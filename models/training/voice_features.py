"""What the views that are not trained here see of every clip of a store: computed once, kept in a file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from models import prosody, voice_speech
from models.prosody import ProsodyBlocks
from models.training.voice_data import ClipStore, middle_window
from models.voice import BLOCK_SAMPLES, load_speech_blocks

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
        self._speech = load_speech_blocks()
        self._prosody = ProsodyBlocks().eval()

    @torch.inference_mode()
    def __call__(self, windows: npt.NDArray[np.float32]) -> ViewFeatures:
        """Return the features of windows (N, WINDOW_SAMPLES)."""
        parts = [self._part(torch.from_numpy(windows[i : i + AT_ONCE])) for i in range(0, len(windows), AT_ONCE)]
        speech, melody = (np.concatenate(column) for column in zip(*parts, strict=True))
        return ViewFeatures(speech=speech, prosody=melody)

    def _part(self, windows: torch.Tensor) -> tuple[Floats, Floats]:
        blocks = windows.reshape(-1, BLOCK_SAMPLES)
        speech = voice_speech.window_features(self._speech(blocks).reshape(len(windows), -1, self._speech.row_size))
        melody = prosody.window_features(self._prosody(blocks).reshape(len(windows), -1, self._prosody.row_size))
        return speech.numpy(), melody.numpy()


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
