"""Scores of clips by models that were trained without them: what the calibration and every figure of the card rest on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.training.voice_codecs import g711, lost_packets, opus
from models.training.voice_conditions import conditions
from models.training.voice_data import Clip, ClipStore
from models.training.voice_groups import left_out
from models.training.voice_noises import either_class
from models.voice import MIN_SPEECH_S, Voice, VoiceModel, load_speech_blocks
from models.voice_activity import VoiceActivity
from models.window import SAMPLE_RATE_HZ, WINDOW_SAMPLES, Samples

STEP_SAMPLES = SAMPLE_RATE_HZ
"""Windows of a clip are a second apart: they share most of their sound."""
PARTLY = 4
"""Every so many clips are scored in the conditions that only the card's table of conditions needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One clip as some condition left it, scored by a model that was trained without its source."""

    file: str
    source: str
    attack: str
    """`-` for bona fide."""
    era: str
    speaker: str
    language: str
    condition: str
    """`clean`, or a key of `models.training.voice_conditions`."""
    raws: tuple[float, ...]
    """Of the windows that hold enough speech, by time; empty where none does."""
    speech_s: tuple[float, ...]
    """Speech in each of them [s]."""
    views: tuple[tuple[float, ...], ...]
    """What each view said of them."""


def windows_of(samples: Samples) -> npt.NDArray[np.float32]:
    """Return the windows of a clip STEP_SAMPLES apart (N, WINDOW_SAMPLES); a shorter clip is filled up with silence."""
    padded = np.pad(samples, (0, max(0, WINDOW_SAMPLES - samples.size)))
    starts = range(0, padded.size - WINDOW_SAMPLES + 1, STEP_SAMPLES)
    return np.stack([padded[start : start + WINDOW_SAMPLES] for start in starts]).astype(np.float32)
