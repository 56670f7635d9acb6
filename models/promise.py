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
from math import exp, log
from pathlib import Path
from typing import Any

from models.checkpoint import CHECKPOINTS, CheckpointError
from models.evidence import Bias, Fusion
from models.window import Signal

DEFAULT = CHECKPOINTS / "decision.json"
WIDEBAND, TELEPHONE = "wideband", "telephone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """False alerts by threshold, of one class of channel: measured where there are some, beyond on an exponential tail.

    Raises:
        ValueError: Its columns differ in length or order, or its tail does not fall.
    """

    nats: tuple[float, ...]
    """Thresholds, rising [nat]."""
    per_hour: tuple[float, ...]
    """False alerts in a call-hour at each of them, falling."""
    tail_nat: float
    """Beyond the last threshold the rate falls by e in so many nats."""
    proven_hours: float
    """The strongest promise that the sources can prove: with 95 % confidence, had none of them ever alerted [h]."""
    sources: int
    """Independent sources that it rests on."""
    hours: float
    """Call-hours that were composed of them [h]."""

    def __post_init__(self) -> None:
        falls = all(a > b > 0 for a, b in zip(self.per_hour, self.per_hour[1:], strict=False))
        rises = all(a < b for a, b in zip(self.nats, self.nats[1:], strict=False))
        if not self.nats or len(self.nats) != len(self.per_hour) or not (falls and rises) or self.tail_nat <= 0:
            raise ValueError("thresholds rise, rates fall, and so does the tail")

    def at(self, promise_hours: float) -> "Terms":
        """Return the threshold at which at most one false alert in so many call-hours was measured."""
        rate = 1 / promise_hours
        last = self.per_hour[-1]
        if rate < last:
            nat = self.nats[-1] + self.tail_nat * log(last / rate)
        else:
            below = next(i for i, found in enumerate(self.per_hour) if found <= rate)
            if below == 0:
                nat = self.nats[0]
            else:
                low, high = log(self.per_hour[below - 1]), log(self.per_hour[below])
                share = (low - log(rate)) / (low - high)
                nat = self.nats[below - 1] + share * (self.nats[below] - self.nats[below - 1])
        return Terms(
            promise_hours=promise_hours,
            threshold_nat=nat,
            is_extrapolated=rate < last,
            proven_hours=min(self.proven_hours, promise_hours),
        )

    def hours_at(self, nat: float) -> float:
        """Return the call-hours for one false alert at a threshold [h]."""
        if nat >= self.nats[-1]:
            return exp((nat - self.nats[-1]) / self.tail_nat) / self.per_hour[-1]
        above = next(i for i, found in enumerate(self.nats) if found > nat)
        if above == 0:
            return 1 / self.per_hour[0]
        share = (nat - self.nats[above - 1]) / (self.nats[above] - self.nats[above - 1])
        return exp(-(log(self.per_hour[above - 1]) * (1 - share) + log(self.per_hour[above]) * share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A promise and what stands behind it."""

    promise_hours: float
    """At most one false alert in so many call-hours [h]."""
    threshold_nat: float
    """Evidence at which the alert is raised [nat]."""
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

    def bias(self, signal: Signal, *, is_telephone: bool) -> Bias | None:
        """Return how a signal's scores are distributed; None if it takes no part in alerts."""
        known = self.biases.get(signal, {})
        return known.get(TELEPHONE if is_telephone else WIDEBAND) or known.get(WIDEBAND)

    def terms(self, promise_hours: float, *, is_telephone: bool) -> Terms:
        """Return what a promise means for a class of channel."""
        return self.thresholds[TELEPHONE if is_telephone else WIDEBAND].at(promise_hours)

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


def _text(model: DecisionModel) -> str:
    return json.dumps(asdict(model), indent=1, sort_keys=True) + "\n"


def _parse(fields: dict[str, Any]) -> DecisionModel:
    columns = ("nats", "per_hour")
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
    )
