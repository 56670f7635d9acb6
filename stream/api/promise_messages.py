"""What is said of the promise of few false alerts, and what people say of alerts."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from stream.api.message import Message


class AlertLabel(StrEnum):
    """What a person found of an alert."""

    FALSE_ALERT = "false_alert"
    SPOOF = "spoof"
    UNCLEAR = "unclear"


class LabelRequest(Message):
    """What a person says of an alert."""

    label: AlertLabel
    by: Annotated[str, Field(max_length=100)] = ""
    note: Annotated[str, Field(max_length=2000)] = ""
    reason: Annotated[str, Field(max_length=200)] = ""
    """In a few words: what the decision rests on."""


class LabelMessage(Message):
    """A person said what an alert was; the newest such event counts."""

    type: Literal["label"] = "label"
    seq: int
    session: str
    alert: str
    at: str
    label: AlertLabel
    by: str
    note: str
    reason: str = ""


class Standing(StrEnum):
    """How a promise stands."""

    KEPT = "kept"
    """Even if every alert that nobody labelled was false, with 95 % confidence."""
    TOO_EARLY = "too_early"
    BROKEN = "broken"
    """By the alerts that were found to be false, with 95 % confidence."""


class ChannelPromiseMessage(Message):
    """The promise for one class of channel, and what came of it."""

    channel: Literal["wideband", "telephone"]
    threshold_nat: float
    """Evidence at which alerts are raised [nat]."""
    upper_nat: float
    """What it would be at most, with 95 % confidence, had other sources been drawn [nat]."""
    is_extrapolated: bool
    """Whether fewer false alerts are promised than could be counted."""
    proven_hours: float
    """The strongest promise that the data behind it can prove [h]."""
    call_hours: float
    """Watched by this service [h]."""
    alerts: int
    false_alerts: int
    """Of the alerts, those that a person found to be false."""
    spoofs: int
    """Those that a person found to be right."""
    open_alerts: int
    """Those that nobody looked at, or that are unclear."""
    false_per_hour_low: float | None
    """The 95 % interval of false alerts per call-hour; null before any call. Open ones count as false at its end."""
    false_per_hour_high: float | None
    standing: Standing
    hours_needed: float
    """Call-hours after which the promise can be shown to be kept, does no further alert turn out false [h]."""


class PromiseMessage(Message):
    """At most one false alert in so many call-hours."""

    promise_hours: float
    decision: str
    """Digest of the thresholds."""
    measured_on: str
    """What they were measured on, in a sentence."""
    channels: list[ChannelPromiseMessage]
