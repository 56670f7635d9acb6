"""The promise: what it means and how it stands."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends

from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.principal import Principal
from stream.api.promise_messages import ChannelPromiseMessage, PromiseMessage
from stream.desk import Desk


def router(desk: Desk, access: Access) -> APIRouter:
    """Return the routes of the promise."""
    routes = APIRouter(prefix="/v1", tags=["promise"])
    OfWatch = Annotated[Principal, Depends(access.needs(Right.WATCH))]

    @routes.get("/promise")
    async def promise(principal: OfWatch) -> PromiseMessage:
        """Return the promise of few false alerts, the data that stand behind it, and what came of it so far."""
        return PromiseMessage(
            promise_hours=desk.policy.promise_hours,
            decision=desk.policy.model.digest,
            measured_on=desk.policy.model.note,
            channels=[_channel(desk, principal.org, is_telephone) for is_telephone in (False, True)],
        )

    return routes


def _channel(desk: Desk, org: str, is_telephone: bool) -> ChannelPromiseMessage:
    hours, policy = desk.policy.promise_hours, desk.policy
    terms = policy.terms(is_telephone=is_telephone)
    account = desk.ledger(org).account(is_telephone=is_telephone)
    account = replace(account, call_hours=account.call_hours + desk.running_hours(org, is_telephone=is_telephone))
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
