"""The promise: what it means, how it stands, and what people found of alerts."""

from dataclasses import replace

from fastapi import APIRouter, HTTPException

from stream.api.promise_messages import ChannelPromiseMessage, LabelMessage, LabelRequest, PromiseMessage
from stream.desk import Desk


def router(desk: Desk) -> APIRouter:
    """Return the routes of the promise."""
    routes = APIRouter(prefix="/v1", tags=["promise"])

    @routes.get("/promise")
    async def promise() -> PromiseMessage:
        """Return the promise of few false alerts, the data that stand behind it, and what came of it so far."""
        return PromiseMessage(
            promise_hours=desk.policy.promise_hours,
            decision=desk.policy.model.digest,
            measured_on=desk.policy.model.note,
            channels=[_channel(desk, is_telephone) for is_telephone in (False, True)],
        )

    @routes.post("/alerts/{alert}/label")
    async def label(alert: str, given: LabelRequest) -> LabelMessage:
        """Keep what a person found of an alert; the newest label counts. No threshold follows by itself."""
        kept = await desk.label(alert, given.label, by=given.by, note=given.note)
        if kept is None:
            raise HTTPException(404, f"alert {alert!r} is not known")
        return kept

    return routes


def _channel(desk: Desk, is_telephone: bool) -> ChannelPromiseMessage:
    hours, policy = desk.policy.promise_hours, desk.policy
    terms = policy.terms(is_telephone=is_telephone)
    account = desk.ledger.account(is_telephone=is_telephone)
    account = replace(account, call_hours=account.call_hours + desk.running_hours(is_telephone=is_telephone))
    low, high = account.interval() if account.call_hours else (None, None)
    return ChannelPromiseMessage(
        channel="telephone" if is_telephone else "wideband",
        threshold_nat=terms.threshold_nat,
        upper_nat=terms.upper_nat,
        is_extrapolated=terms.is_extrapolated,
        proven_hours=terms.proven_hours,
        call_hours=account.call_hours,
        alerts=account.alerts,
        false_alerts=account.false_alerts,
        spoofs=account.spoofs,
        open_alerts=account.open_alerts,
        false_per_hour_low=low,
        false_per_hour_high=high,
        standing=account.standing(hours),
        hours_needed=account.hours_needed(hours),
    )
