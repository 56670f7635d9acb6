"""Scores of clips by models that were trained without them: what calibration and every figure rest on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.training.voice_conditions import Condition, conditions
from models.training.voice_data import Clip, ClipStore
from models.training.voice_features import Listener
from models.training.voice_groups import group_of
from models.training.voice_noises import either_class
from models.voice import VIEWS, VoiceModel
from models.voice_activity import VoiceActivity
from models.voice_quality import gate, measure
from models.window import SAMPLE_RATE_HZ, WINDOW_SAMPLES, Samples

STEP_SAMPLES = SAMPLE_RATE_HZ
"""Windows of a clip are a second apart: they share most of their sound."""
CALLS, CALLS_EVERY = ("g711", "opus_16k_loss_5"), 5
"""Conditions that the calibration rests on too, and of how many clips one is scored in them."""
ALL_EVERY = 35
"""Of how many clips one is scored in all other conditions as well: the card's table alone needs them."""


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


def whole_seconds(samples: Samples) -> Samples:
    """Return a sound cut to whole seconds; one shorter than a window is filled up with silence to one."""
    if samples.size < WINDOW_SAMPLES:
        return np.pad(samples, (0, WINDOW_SAMPLES - samples.size)).astype(np.float32)
    return samples[: samples.size - samples.size % STEP_SAMPLES].astype(np.float32)


class Judge:
    """Scores sound by any of several models; what the models share is computed once.

    Args:
        models: By the group that each was trained without.
    """

    def __init__(self, models: Mapping[str | None, VoiceModel]) -> None:
        self._models = models
        self._listen = Listener()
        self._activity = VoiceActivity()

    @torch.inference_mode()
    def __call__(self, name: str | None, samples: Samples) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the views (N, 3) of a sound's windows that hold enough speech, and the speech in them (N,) [s]."""
        sound = whole_seconds(samples)
        windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW_SAMPLES)[::STEP_SAMPLES]  # (N, WINDOW_SAMPLES)
        qualities = [measure(window, self._activity.window(window)) for window in windows]
        kept = [row for row, found in enumerate(qualities) if gate(found) is None]
        speech_s = np.array([qualities[row].speech_s for row in kept], np.float32)
        if not kept:
            return np.zeros((0, len(VIEWS)), np.float32), speech_s
        model, heard = self._models[name], self._listen.a_second_apart(sound)
        views = [
            model.speech(torch.from_numpy(heard.speech[kept])),
            model.spectral(torch.from_numpy(windows[kept])),
            model.prosody(torch.from_numpy(heard.prosody[kept])),
        ]
        return torch.stack(views, dim=1).numpy(), speech_s

    @torch.inference_mode()
    def raws(self, name: str | None, views: npt.NDArray[np.float32]) -> tuple[float, ...]:
        """Return raw scores of views (N, 3)."""
        return tuple(self._models[name].fuse(torch.from_numpy(views)).tolist())


def score_left_out(
    models: Mapping[str | None, VoiceModel], clips: Sequence[Clip], store: ClipStore, part: int = 0, parts: int = 1
) -> Iterator[LeftOut]:
    """Score every clip as it is, some in the conditions of CALLS, a few in all others as well.

    Args:
        models: By the group that each was trained without.
        clips: What is measured.
        store: Their sounds, the clips' in front.
        part: Which of so many parts of the clips to score, so that processes may share the work.
        parts: How many.
    """
    judge, rng = Judge(models), np.random.default_rng(11)
    named = conditions(either_class(clips, store, range(len(clips))))
    for row in range(part, len(clips), parts):
        clip = clips[row]
        name = group_of(clip.source)
        if name not in models:
            continue
        for condition, change in _chosen(named, row).items():
            sound = store[row] if change is None else change(store[row], rng)
            views, speech_s = judge(name, sound)
            yield LeftOut(
                file=clip.file,
                source=clip.source,
                attack=clip.attack if clip.is_spoof else "-",
                era=clip.era,
                speaker=clip.speaker,
                language=clip.language,
                condition=condition,
                raws=judge.raws(name, views),
                speech_s=tuple(speech_s.tolist()),
                views=tuple(map(tuple, views.tolist())),
            )


def _chosen(named: Mapping[str, Condition], row: int) -> dict[str, Condition | None]:
    """Return the conditions that the clip of a row is scored in."""
    chosen: dict[str, Condition | None] = {"clean": None}
    if row % CALLS_EVERY == 0:
        chosen |= {name: named[name] for name in CALLS}
    return chosen | dict(named) if row % ALL_EVERY == 0 else chosen
