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
from functools import cache
from pathlib import Path

import numpy as np

from models.checkpoint import CHECKPOINTS, CheckpointError
from models.traits import PipelineReading, Trait, TraitReading, Traits

CHECKPOINT = "pipeline"
DISCOUNT = 1.25
MAX_NAT = 2.0
"""What a pipeline may say for a spoof at most, however many calls it is compared with [nat]."""


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
