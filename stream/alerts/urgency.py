"""How urgent an alert is: evidence x time left x amount at risk. Pure.

While the call runs something can still be prevented; once it has ended, transfers can still be stopped, less likely by
the day. So the urgency of an ended call halves each day, and a running one's is four times that of one which ends now.
The logarithm of the whole is a sum of a part that does not change by itself and one that a database can order by.
"""

import math

HALF_LIFE_S = 86_400.0
"""After the end of a call its urgency halves in this time [s]."""
RUNNING = 2.0
"""Doublings by which a running call is more urgent than one that ends now."""
UNIT_AMOUNT = 100_000.0
"""An amount of as much doubles the urgency, three times as much doubles it twice; some 200 US dollars in tenge."""


def rank(evidence_nat: float, threshold_nat: float, amount: float | None) -> float:
    """Return the part that does not change by itself, in doublings.

    Args:
        evidence_nat: Of the alert so far [nat].
        threshold_nat: At which it was raised [nat].
        amount: At risk; None if nobody said.
    """
    evidence = max(evidence_nat, 0.0) / max(threshold_nat, 1e-6)
    return math.log2(1 + evidence) + math.log2(1 + max(amount or 0.0, 0.0) / UNIT_AMOUNT)


def urgency(rank_: float, ended_s: float | None, now_s: float) -> float:
    """Return the urgency of an alert now; only the order between alerts means anything.

    Args:
        rank_: See `rank`.
        ended_s: When the call ended; None while it runs [s].
        now_s: Now [s].
    """
    left = RUNNING if ended_s is None else -max(now_s - ended_s, 0.0) / HALF_LIFE_S
    return float(2 ** max(min(rank_ + left, 60.0), -60.0))
