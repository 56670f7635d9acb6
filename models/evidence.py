"""Accumulates evidence for a spoof over a whole call. Pure: scores in, nats out; no clock, no media, no policy.

A window's score is a mean that belongs to the call (its camera, codec, microphone, person), what is left of noise, and,
if something is forged, a shift downwards that begins at some time. `Bias` says how all of these are distributed. For
every time at which a forgery may have begun the likelihood ratio of "a shift since then" against "none" is known in
closed form: before any forgery the call's own mean is learnt, and what cannot be learnt of it stays bounded by how
calls differ. Their mixture over the times is an e-process: were the model true, it would pass exp(x) in at most
exp(-x) of all genuine calls, however long one looks. It is not quite true, so thresholds are measured, see
`models.promise`; after Shiryaev and Roberts, and for the mixture over unknown means Robbins (1970).

Windows overlap, so each counts as a fraction of an independent one. A window that was not judged changes nothing.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from math import exp, log

import numpy as np
import numpy.typing as npt

from models.window import Signal

Floats = npt.NDArray[np.float64]

START_WEIGHT = 0.05
"""Of a forgery that was there from the start, before anything is known."""
CHANGE_WEIGHT = 0.85
"""Of all times together at which one may have begun since."""
N_TIMES = 64
"""Times that are kept in mind; of more, the least likely is forgotten."""
EVERY = 4
"""Judged windows between two such times."""
MEMORY = 1 - 1 / 120
"""What weight a window keeps when the next one comes: what was said a minute ago counts a third."""
FARTHEST = 4.0
"""Scores farther from the mean of all calls than so many standard deviations count as if they were there."""

DOUBTED_NAT = 2.0
"""From so much evidence on it is watched whether the windows are genuine again [nat]."""
RETURN_NAT, RETURN_STEP_NAT = 6.0, 0.5
"""Evidence at which they are taken to be, and the most that one window brings: it takes seconds at least [nat]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """How raw window scores are distributed, of one signal and class of channel.

    Raises:
        ValueError: A deviation is not above 0, or a shift or spread below.
    """

    mean: float
    """Of genuine calls."""
    between: float
    """Standard deviation of the calls' own means."""
    within: float
    """Standard deviation of windows about their call's mean."""
    wander: float
    """Standard deviation of what stays between two parts of one call, however long both are."""
    worth: float
    """Independent windows that one window counts as, 0..1."""
    shift: float
    """How far below genuine ones lie calls that are forged from the start, in the mean."""
    shift_spread: float
    """Standard deviation of that, beyond that of genuine calls."""
    change: float
    """How far a score falls in the mean when a forgery begins within a call."""
    change_spread: float
    """Standard deviation of that."""

    def __post_init__(self) -> None:
        if min(self.between, self.within, self.wander, self.worth, self.shift_spread, self.change_spread) <= 0:
            raise ValueError(f"deviations and worth must be above 0: {self}")
        if min(self.shift, self.change) < 0:
            raise ValueError(f"a forgery lowers scores: {self}")

    @property
    def deviation(self) -> float:
        """Standard deviation of a window of an unknown genuine call."""
        return float(np.hypot(self.between, self.within))


class SignalEvidence:
    """Evidence of one signal of one track that it is forged.

    Args:
        bias: Of the signal over this channel.
        standing_nat: Evidence against whoever was there before: genuine windows must wear it down.
    """

    __slots__ = (
        "_after",
        "_back",
        "_before",
        "_bias",
        "_count",
        "_count_before",
        "_highest",
        "_lowest",
        "_mean",
        "_nat",
        "_shift",
        "_spread",
        "_standing",
        "_steepest",
        "_times",
        "_variance",
        "_weight",
        "n_judged",
    )  # fmt: skip

    def __init__(self, bias: Bias, standing_nat: float = 0.0) -> None:
        self._bias = bias
        self._standing = standing_nat
        reach = FARTHEST * bias.deviation
        self._lowest, self._highest = bias.mean - reach, bias.mean + reach
        self._nat = self._back = 0.0
        self.n_judged = 0
        """Windows so far."""
        self._before = self._count_before = 0.0  # sum and number of all windows
        # Of each time: what was expected of the windows since, and what they were. The first is the start.
        self._times = 1
        self._mean, self._variance = np.full(N_TIMES, bias.mean), np.full(N_TIMES, bias.between**2)
        self._after, self._count = np.zeros(N_TIMES), np.zeros(N_TIMES)
        self._shift, self._spread = np.full(N_TIMES, bias.change), np.full(N_TIMES, bias.change_spread**2)
        self._shift[0], self._spread[0] = bias.shift, bias.shift_spread**2
        self._steepest = self._shift / self._spread
        self._weight = np.full(N_TIMES, CHANGE_WEIGHT / (N_TIMES - 1))
        self._weight[0] = START_WEIGHT

    @property
    def nat(self) -> float:
        """Evidence for a forgery [nat]; below 0 where there is some against it."""
        return max(self._nat, self._standing)

    def copy(self) -> "SignalEvidence":
        """Return one that goes its own way."""
        other = copy(self)
        other._mean, other._variance = self._mean.copy(), self._variance.copy()
        other._after, other._count = self._after.copy(), self._count.copy()
        return other

    def take(self, raw: float) -> None:
        """Take the raw score of the next judged window."""
        raw = min(max(raw, self._lowest), self._highest)
        if self.n_judged and self.n_judged % EVERY == 0:
            self._begin()
        self.n_judged += 1
        self._before, self._count_before = self._before + raw, self._count_before + 1
        n = self._times
        self._after[:n] = MEMORY * self._after[:n] + raw
        self._count[:n] = MEMORY * self._count[:n] + 1
        ratios = self._log_ratios()
        top = float(ratios.max())
        mixed = exp(-top) * (1 - START_WEIGHT - CHANGE_WEIGHT) + float(self._weight[:n] @ np.exp(ratios - top))
        # Times to come are as likely as if nothing had been seen yet.
        mixed += exp(-top) * CHANGE_WEIGHT * (N_TIMES - n) / (N_TIMES - 1)
        self._nat = top + log(mixed)
        self._back = self._going_back(raw, ratios) if self._nat > DOUBTED_NAT else 0.0
        if self._standing:
            self._standing = max(self._standing - self._relief(raw), 0.0)

    @property
    def has_returned(self) -> bool:
        """Whether what was forged has been genuine again for some seconds."""
        return self._back >= RETURN_NAT

    def restart(self) -> None:
        """Forget the call's own mean, since its camera or line is another one now; what stands against it stays."""
        standing = max(self.nat, 0.0)
        self.__init__(self._bias, standing)  # type: ignore[misc]  # all but what stands begins anew

    def _begin(self) -> None:
        """Keep in mind that a forgery may begin here: what is expected of the windows to come is known by now."""
        if self._times == N_TIMES:
            gone = 1 + int(np.argmin(self._log_ratios()[1:]))
            last = N_TIMES - 1
            for column in (self._mean, self._variance, self._after, self._count):
                column[gone:last] = column[gone + 1 :]
        else:
            last = self._times
            self._times += 1
        bias = self._bias
        noise = bias.within**2 / (bias.worth * self._count_before) + bias.wander**2
        known = bias.between**2 / (bias.between**2 + noise)
        self._mean[last] = bias.mean + known * (self._before / self._count_before - bias.mean)
        self._variance[last] = bias.between**2 * (1 - known)
        self._after[last] = self._count[last] = 0.0

    def _log_ratios(self) -> Floats:
        """Return the log-likelihood ratio of a shift since each time, (times,) [nat]: it never rises with a score."""
        n, bias = self._times, self._bias
        count = self._count[:n]  # at least 1: a time is kept in mind when the window after it comes
        genuine = (bias.within**2 / bias.worth) / count + (self._variance[:n] + bias.wander**2)
        spread, shift = self._spread[:n], self._shift[:n]
        forged = genuine + spread
        # Above this the wider of both would win again: scores that high say no more for a genuine call.
        highest = self._steepest[:n] * genuine
        off = np.minimum(self._after[:n] / count - self._mean[:n], highest)
        ratios: Floats = 0.5 * (np.log(genuine / forged) + off**2 / genuine - (off + shift) ** 2 / forged)
        return ratios

    def _going_back(self, raw: float, ratios: Floats) -> float:
        """Return the evidence that windows are as before the likeliest begin of the forgery again [nat], at least 0."""
        bias, since = self._bias, int(np.argmax(ratios + np.log(self._weight[: self._times])))
        genuine = float(self._mean[since])
        fallen = max(genuine - float(self._after[since] / self._count[since]), bias.deviation)
        step = bias.worth * fallen * (raw - genuine + fallen / 2) / (bias.within**2 + bias.wander**2)
        return max(self._back + min(max(step, -RETURN_STEP_NAT), RETURN_STEP_NAT), 0.0)

    def _relief(self, raw: float) -> float:
        """Return by how much one window wears down what stands against somebody who was there before [nat]."""
        bias = self._bias
        genuine = raw - (bias.mean - bias.shift / 2)
        return max(bias.worth * bias.shift * genuine / bias.deviation**2, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusion:
    """Weights of what may be forged in a call, summing to at most 1; the rest is that nothing is.

    A mixture: each signal can raise the whole by itself, at the price of its weight, and none can silence another.

    Raises:
        ValueError: A weight is below 0, or they sum to more than 1.
    """

    face: float
    """Of the face alone."""
    voice: float
    """Of the voice alone."""
    both: float

    def __post_init__(self) -> None:
        if min(self.face, self.voice, self.both) < 0 or self.face + self.voice + self.both > 1:
            raise ValueError(f"weights must be at least 0 and sum to at most 1, got {self}")

    def fuse(self, nats: Mapping[Signal, float]) -> "Fused":
        """Return the evidence of all signals together; one that is missing says nothing."""
        face, voice = nats.get(Signal.FACE, 0.0), nats.get(Signal.VOICE, 0.0)
        top = max(face, voice, face + voice, 0.0)
        parts = [
            self.face * exp(face - top),
            self.voice * exp(voice - top),
            self.both * exp(face + voice - top),
            (1 - self.face - self.voice - self.both) * exp(-top),
        ]
        # What both explain together is shared by what each of them says.
        half = 0.5 if face == voice else max(face, 0.0) / max(max(face, 0.0) + max(voice, 0.0), 1e-9)
        forged = max(sum(parts[:3]), 1e-300)
        shares = {
            Signal.FACE: (parts[0] + half * parts[2]) / forged,
            Signal.VOICE: (parts[1] + (1 - half) * parts[2]) / forged,
        }
        return Fused(nat=top + log(sum(parts)), shares={signal: shares[signal] for signal in nats if signal in shares})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """What all signals of a call say together."""

    nat: float = 0.0
    """Evidence that something is forged [nat]."""
    shares: Mapping[Signal, float] = field(default_factory=dict)
    """What part of it each signal accounts for, 0..1."""
