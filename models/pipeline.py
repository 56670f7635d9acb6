"""How a call's media were made, whatever they show: weak traits of its pictures, sound and clocks, fused as one.

No device name is trusted and no generator needs to be known: a trait is only ever compared with what bona fide calls
have. Each has innocent causes, so they enter together: how rare is a call that is so odd in all? The answer is an
e-value, which on bona fide calls is 1 on average at most; few calls to compare with can therefore say little. An
ordinary pipeline proves nothing, for a good one is easily had.

Source:
    Vovk, Wang: E-values: calibration, combination and applications, Annals of Statistics 49 (2021), section 2.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np

from models.checkpoint import CHECKPOINTS, CheckpointError

CHECKPOINT = "pipeline"
UNUSUAL_P = 0.05
"""Rarer than this among bona fide calls is put into words."""
DISCOUNT = 1.25
MAX_NAT = 2.0
"""What a pipeline may say for a spoof at most, however many calls it is compared with [nat]."""


class Trait(StrEnum):
    """What is measured; larger is odder, for all of them."""

    REPEATED = "repeated"
    """Share of pictures that repeat the one before while others move."""
    INTERPOLATED = "interpolated"
    """How much better every second or third picture is a mean of its neighbours than the others are [nat]."""
    STILL = "still"
    """Share of the picture that does not change by one grey level between pictures while the rest moves."""
    PUMPING = "pumping"
    """How regularly the fine detail jumps, as it does at the key pictures of a recording: autocorrelation, 0..1."""
    DIGITAL_ZERO = "digital_zero"
    """Share of the pauses in which the sound is zero or one step from it."""
    BAND_EDGE = "band_edge"
    """How steeply the sound ends at a frequency that no call codec cuts at [dB]."""
    MIRRORED = "mirrored"
    """How alike the spectrum is above and below half of a usual sample rate: correlation, -1..1."""
    EVEN_CLOCK = "even_clock"
    """Share of pictures whose time stamps are exactly as far apart as most are."""
    CLOCK_RATE = "clock_rate"
    """How far the sound's clock runs off ours [ppm]."""
    CLOCKS_APART = "clocks_apart"
    """How far the pictures' clock runs off the sound's [ppm]."""
    KEY_PICTURE = "key_picture"
    """From our request for a key picture to the picture [s]."""
    RATE_KEPT = "rate_kept"
    """Bit rate after we asked for less, as a multiple of what was asked for."""


Traits = Mapping[Trait, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitReading:
    """One trait of a call."""

    trait: Trait
    value: float
    p: float | None
    """Share of bona fide calls that are as odd; None where there are none to compare with."""

    @property
    def is_unusual(self) -> bool:
        """Whether it is to be put into words."""
        return self.p is not None and self.p <= UNUSUAL_P


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineReading:
    """What is said of a call's pipeline."""

    llr: float
    """At most 0 [nat]."""
    traits: tuple[TraitReading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineModel:
    """What bona fide calls are like."""

    values: Mapping[Trait, tuple[float, ...]] = field(default_factory=dict)
    """Of each trait, in bona fide calls, one each."""
    oddities: tuple[float, ...] = ()
    """Of whole bona fide calls, each by traits of other sources."""
    note: str = ""
    """What it was measured on, in a sentence."""

    def judge(self, traits: Traits) -> PipelineReading:
        """Compare a call with bona fide ones."""
        readings = tuple(
            TraitReading(trait=trait, value=value, p=rarity(value, self.values.get(trait, ())))
            for trait, value in traits.items()
        )
        known = [reading.p for reading in readings if reading.p is not None]
        p = rarity(oddity(known), self.oddities) if known else None
        return PipelineReading(llr=-evidence(p) if p is not None else 0.0, traits=readings)


def rarity(value: float, known: tuple[float, ...]) -> float | None:
    """Return which share of calls would be as odd, counting this one: never below 1 / (calls + 1); None without any."""
    return (1 + sum(other >= value for other in known)) / (len(known) + 1) if known else None


def oddity(ps: list[float]) -> float:
    """Return how odd a call is whose traits are so rare: the log of the mean of their e-values [nat].

    A mean, so that traits may depend on each other; of e-values, so that one very rare trait is not drowned by many.
    """
    return float(np.log(np.mean(0.5 / np.sqrt(ps))))


def evidence(p: float) -> float:
    """Return what a rarity says for a spoof, 0..MAX_NAT [nat]: that of the e-value 1 / (2 sqrt(p)), discounted.

    It never speaks for bona fide, and so has a likelihood of 1.16 instead of 1 on average over bona fide calls; without
    the discount it would be 1.25.
    """
    return float(np.clip(np.log(0.5 / np.sqrt(p) / DISCOUNT), 0.0, MAX_NAT))


def load_pipeline(folder: Path = CHECKPOINTS) -> PipelineModel:
    """Read `pipeline.json`.

    Raises:
        CheckpointError: It is missing or damaged.
    """
    path = folder / f"{CHECKPOINT}.json"
    try:
        fields = json.loads(path.read_text())
        return PipelineModel(
            values={Trait(trait): tuple(map(float, known)) for trait, known in fields["values"].items()},
            oddities=tuple(map(float, fields["oddities"])),
            note=str(fields["note"]),
        )
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise CheckpointError(f"cannot read what bona fide pipelines are like in {path}: {exc}") from exc


@cache
def shipped_pipeline() -> PipelineModel:
    """Return what is shipped.

    Raises:
        CheckpointError: It is missing or damaged.
    """
    return load_pipeline()


def save_pipeline(model: PipelineModel, path: Path) -> None:
    """Write it as JSON."""
    values = {trait.value: [round(value, 4) for value in known] for trait, known in model.values.items()}
    oddities = [round(value, 4) for value in model.oddities]
    path.write_text(json.dumps({"note": model.note, "values": values, "oddities": oddities}, indent=1) + "\n")
