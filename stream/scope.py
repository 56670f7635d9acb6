"""Whose a call is. Frozen values without behaviour."""

from dataclasses import dataclass

DEFAULT_ORG = "default"


@dataclass(frozen=True, slots=True)
class Scope:
    """The organisation of a call, and in it the token that the call belongs to."""

    org: str = DEFAULT_ORG
    owner: str = ""
    """Id of the token; empty: nobody's in particular."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What may be lost in a call, if whoever connects it said so."""

    amount: float | None = None
    """At risk, in units of `currency`."""
    currency: str = ""
    """ISO 4217."""
    reference: str = ""
    """What the integrator calls the case."""


NO_STAKE = Stake()
EVERYWHERE = Scope()
