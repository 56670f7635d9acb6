"""People who are known, and their safe words, over HTTP."""

import math
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Response

from stream.alerts.tables import PersonRow
from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.people_messages import PersonMessage, PersonRequest, SafeWordMessage, SafeWordRequest
from stream.api.principal import Principal
from stream.checks.people import People, TooManyTriesError


def router(people: People, access: Access) -> APIRouter:
    """Return the routes of known people; everybody sees their own alone."""
    routes = APIRouter(prefix="/v1/people", tags=["people"])
    OfCall = Annotated[Principal, Depends(access.needs(Right.CALL))]

    @routes.get("")
    async def known(principal: OfCall) -> list[PersonMessage]:
        """List whom one knows."""
        return [_message(row) for row in await people.of(principal.scope)]

    @routes.post("", status_code=201)
    async def add(given: PersonRequest, principal: OfCall) -> PersonMessage:
        """Keep a person with a number to call back on and a safe word, of which only a slow salted hash is kept."""
        try:
            return _message(await people.add(principal.scope, given.name, given.number.strip(), given.safe_word))
        except ValueError as exc:
            raise HTTPException(422, str(exc)) from exc

    @routes.delete("/{id}", status_code=204, response_class=Response)
    async def remove(id: str, principal: OfCall) -> Response:
        """Forget a person with all that is kept."""
        if not await people.remove(principal.scope, id):
            raise HTTPException(404, f"no person {id!r} is known")
        return Response(status_code=204)

    @routes.post("/{id}/safe-word")
    async def ask(id: str, given: SafeWordRequest, principal: OfCall) -> SafeWordMessage:
        """Say whether what the other side answered is the safe word; a few tries a minute."""
        try:
            found = await people.try_word(principal.scope, id, given.word)
        except TooManyTriesError as exc:
            raise HTTPException(429, str(exc), {"Retry-After": str(math.ceil(exc.after_s))}) from exc
        if found is None:
            raise HTTPException(404, f"no person {id!r} with a safe word is known")
        return SafeWordMessage(matches=found)

    return routes


def _message(row: PersonRow) -> PersonMessage:
    return PersonMessage(
        id=row.id,
        name=row.name,
        number=row.number,
        has_safe_word=bool(row.safe_word),
        created_at=row.created_at,
    )
