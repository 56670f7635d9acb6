"""Traits of how a call's media were made: the vocabulary of `models.pipeline`. Loads nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

UNUSUAL_P = 0.05
"""Rarer than this among bona fide calls is put into words."""


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
