"""What routes say of what somebody may not see: the same as of what is not there."""

from fastapi import HTTPException

from stream.alerts.cases import Cases
from stream.alerts.tables import CaseRow
from stream.api.principal import Principal
from stream.desk import Desk
from stream.scope import Scope

# No cache and no foreign page may hold a face; a page can embed a picture without an `Origin` that we could refuse.
PRIVATE = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}


async def seen_case(cases: Cases, principal: Principal, alert: str) -> CaseRow:
    """Return the case of an alert that somebody may see.

    Raises:
        HTTPException: 404, there is none, or none that they may see.
    """
    row = await cases.find(alert)
    if row is None or not principal.sees(Scope(row.org, row.owner)):
        raise HTTPException(404, f"alert {alert!r} is not known")
    return row


def seen_call(desk: Desk, principal: Principal, session: str) -> Scope:
    """Return whose a running or recent call is that somebody may see.

    Raises:
        HTTPException: 404, there is none, or none that they may see.
    """
    scope = desk.scope_of(session)
    if scope is None or not principal.sees(scope):
        raise HTTPException(404, f"call {session!r} is not known")
    return scope
