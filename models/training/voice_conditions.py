"""Single degradations with names: what a voice network's robustness is measured under, one at a time."""

from collections.abc import Callable

import numpy as np

from models.training.voice_codecs import aac, amr_nb, fit, g711, g722, lost_packets, mp3, opus
from models.training.voice_filters import speeded, suppressed
from models.training.voice_noises import Others, coloured, mixed, music, voices
from models.training.voice_rooms import replayed, reverberant, shoebox
from models.window import Samples

Condition = Callable[[Samples, np.random.Generator], Samples]
"""From 16 kHz mono (S,) to the same length; the generator draws what varies within the condition."""


def conditions(others: Others = ()) -> dict[str, Condition]:
    """Return CONDITIONS, and with other sounds given also `cross_talk_15db`: one of them, 15 dB below."""
    if not (callable(others) or len(others)):
        return dict(CONDITIONS)
    return CONDITIONS | {"cross_talk_15db": lambda sound, rng: mixed(sound, voices(others, 1, sound.size, rng), 15.0)}


def _opus_with_loss(sound: Samples, rng: np.random.Generator) -> Samples:
    return opus(sound, 16_000, lost_packets(sound.size, 0.05, rng))


def _speed(sound: Samples, rng: np.random.Generator) -> Samples:
    """3 % slower or faster; what is then missing is silence."""
    return fit(speeded(sound, rng.choice([1.0 / 1.03, 1.03])), sound.size)


CONDITIONS: dict[str, Condition] = {
    "opus_16k_loss_5": _opus_with_loss,
    "g711": lambda sound, rng: g711(sound),
    "g711_alaw_band": lambda sound, rng: g711(sound, "a", band=True),
    "amr_nb_12k": lambda sound, rng: amr_nb(sound, 12_200),
    "g722": lambda sound, rng: g722(sound),
    "mp3_32k": lambda sound, rng: mp3(sound, 32_000),
    "aac_32k": lambda sound, rng: aac(sound, 32_000),
    "room": lambda sound, rng: reverberant(sound, shoebox(rng)),
    "noise_10db": lambda sound, rng: mixed(sound, coloured(sound.size, rng), 10.0),
    "music_15db": lambda sound, rng: mixed(sound, music(sound.size, rng), 15.0),
    "suppression": lambda sound, rng: suppressed(sound, 0.1, 5.0, 0.5),
    "replay": lambda sound, rng: replayed(sound, shoebox(rng), rng),
    "speed": _speed,
}
