"""What the decision was measured with: how scores are distributed, how signals are fused, and which threshold keeps
which promise of at most one false alert in so many call-hours.

`models.training.calibrate decision` makes it from calls of sources that were left out of training, or from a
deployment's own calls. A promise may be kept on average by what was measured and yet be more than so few sources can
prove: both are kept and shown.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from models.checkpoint import CHECKPOINTS, CheckpointError
from models.evidence import Bias, Fusion
from models.window import Signal

DEFAULT = CHECKPOINTS / "decision.json"
WIDEBAND, TELEPHONE = "wideband", "telephone"
PROMISES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Call-hours for at most one false alert that thresholds are measured for [h]; between them they rise by its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Which evidence keeps which promise, of one class of channel.

    Raises:
        ValueError: Its columns differ from `PROMISES` in length, or a stronger promise has a lower threshold.
    """

    nats: tuple[float, ...]
    """Threshold of each of `PROMISES` [nat]."""
    upper_nats: tuple[float, ...]
    """What they would be at most, with 95 % confidence: other sources might have been drawn [nat]."""
    measured_hours: float
    """The strongest promise at which false alerts could be counted, of several sources; beyond, a tail is drawn [h]."""
    proven_hours: float
    """The strongest promise that so few sources can prove: with 95 % confidence, had none of them ever alerted [h]."""
    sources: int
    """Independent sources that it rests on."""
    hours: float
    """Call-hours that were composed of them [h]."""

    def __post_init__(self) -> None:
        for column in (self.nats, self.upper_nats):
            if len(column) != len(PROMISES) or any(a > b for a, b in pairwise(column)):
                raise ValueError(f"thresholds of {PROMISES} call-hours never fall, got {column}")

    def at(self, promise_hours: float) -> "Terms":
        """Return the threshold of at most one false alert in so many call-hours.

        Raises:
            ValueError: Weaker or stronger than any of `PROMISES`.
        """
        if not PROMISES[0] <= promise_hours <= PROMISES[-1]:
            raise ValueError(f"promises of {PROMISES[0]:g} to {PROMISES[-1]:g} call-hours, got {promise_hours:g}")
        place, known = np.log(promise_hours), np.log(PROMISES)
        return Terms(
            promise_hours=promise_hours,
            threshold_nat=float(np.interp(place, known, self.nats)),
            upper_nat=float(np.interp(place, known, self.upper_nats)),
            is_extrapolated=promise_hours > self.measured_hours,
            proven_hours=min(self.proven_hours, promise_hours),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A promise and what stands behind it."""

    promise_hours: float
    """At most one false alert in so many call-hours [h]."""
    threshold_nat: float
    """Evidence at which the alert is raised [nat]."""
    upper_nat: float
    """What the threshold would be at most, with 95 % confidence [nat]."""
    is_extrapolated: bool
    """Whether fewer false alerts are promised than could be counted."""
    proven_hours: float
    """The strongest promise that the data can prove with 95 % confidence [h]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionModel:
    """All that a decision is made with."""

    biases: Mapping[Signal, Mapping[str, Bias]]
    """By signal, then by class of channel (WIDEBAND, TELEPHONE; a face has but WIDEBAND)."""
    fusion: Fusion
    thresholds: Mapping[str, Thresholds]
    """By class of channel."""
    note: str
    """What it was measured on, in a sentence."""
    models: Mapping[str, str]
    """Digests of the models whose scores it was measured on, by signal."""
    left_out: tuple[str, ...] = ()
    """Sources that had no part in it, so that it can be measured on them."""

    def bias(self, signal: Signal, *, is_telephone: bool) -> Bias | None:
        """Return how a signal's scores are distributed; None if it takes no part in alerts."""
        known = self.biases.get(signal, {})
        return known.get(TELEPHONE if is_telephone else WIDEBAND) or known.get(WIDEBAND)

    def terms(self, promise_hours: float, *, is_telephone: bool) -> Terms:
        """Return what a promise means for a class of channel."""
        return self.thresholds[TELEPHONE if is_telephone else WIDEBAND].at(promise_hours)

    def require(self, digests: Mapping[str, str]) -> None:
        """Refuse scores of other models than those that false alerts were counted with.

        Args:
            digests: Of the models in use, by signal.

        Raises:
            CheckpointError: One is another.
        """
        for signal, known in self.models.items():
            if digests.get(signal) != known:
                raise CheckpointError(
                    f"the decision's thresholds were measured with {signal} model {known}, got {digests.get(signal)}: "
                    "run python -m models.training.calibrate decision"
                )

    @property
    def digest(self) -> str:
        """The first 12 digits of a SHA-256 over all of it: what alerts name it by."""
        return hashlib.sha256(_text(self).encode()).hexdigest()[:12]


def save(model: DecisionModel, path: Path = DEFAULT) -> None:
    """Write it as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_text(model))


def load(path: Path = DEFAULT) -> DecisionModel:
    """Read it.

    Raises:
        CheckpointError: The file is missing or damaged; the text names it.
    """
    try:
        return _parse(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise CheckpointError(f"cannot read the decision's thresholds {path}: {exc}") from exc


@cache
def shipped() -> DecisionModel:
    """Return the one that belongs to the checkpoints that we ship.

    Raises:
        CheckpointError: It is missing or damaged.
    """
    return load()


def _text(model: DecisionModel) -> str:
    return json.dumps(asdict(model), indent=1, sort_keys=True) + "\n"


def _parse(fields: dict[str, Any]) -> DecisionModel:
    columns = ("nats", "upper_nats")
    return DecisionModel(
        biases={
            Signal(signal): {channel: Bias(**bias) for channel, bias in known.items()}
            for signal, known in fields["biases"].items()
        },
        fusion=Fusion(**fields["fusion"]),
        thresholds={
            channel: Thresholds(**(found | {name: tuple(found[name]) for name in columns}))
            for channel, found in fields["thresholds"].items()
        },
        note=fields["note"],
        models=fields["models"],
        left_out=tuple(fields.get("left_out", ())),
    )
