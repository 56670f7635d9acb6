"""People who are known, what they agreed on and what they are like, over HTTP."""

import errno
import math
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response

from stream.alerts.tables import PersonRow, ReferenceRow
from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.people_messages import (
    PersonMessage,
    PersonRequest,
    ReferenceMessage,
    SafeWordMessage,
    SafeWordRequest,
)
from stream.api.principal import Principal
from stream.checks.enrolment import Enrolment
from stream.checks.people import People, TooManyTriesError
from stream.checks.references import References
from stream.errors import MediaError, ServiceFullError
from stream.forwarded.upload import TooLargeError

_FILE = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}}
NO_CONSENT = "the person must have agreed to it: send consent=true"


def router(people: People, references: References, enrolment: Enrolment, access: Access) -> APIRouter:
    """Return the routes of known people: everybody sees their own, and customers of their organisation."""
    routes = APIRouter(prefix="/v1/people", tags=["people"])
    OfCall = Annotated[Principal, Depends(access.needs(Right.CALL))]
    Passphrase = Annotated[str, Header(alias="Kua-Passphrase", max_length=1000)]

    @routes.get("")
    async def known(principal: OfCall, customer: Annotated[str, Query(max_length=100)] = "") -> list[PersonMessage]:
        """List whom one knows or, given what the organisation calls a customer, that one."""
        rows = await people.of(principal.scope, customer)
        kept = await references.of([row.id for row in rows])
        return [_message(row, kept.get(row.id)) for row in rows]

    @routes.post("", status_code=201)
    async def add(given: PersonRequest, principal: OfCall) -> PersonMessage:
        """Keep a person with a number to call back on and a safe word, of which only a slow salted hash is kept."""
        try:
            row = await people.add(principal.scope, given.name, given.number.strip(), given.safe_word, given.customer)
        except ValueError as exc:
            raise HTTPException(422, str(exc)) from exc
        return _message(row, None)

    @routes.delete("/{id}", status_code=204, response_class=Response)
    async def remove(id: str, principal: OfCall) -> Response:
        """Forget a person with all that is kept."""
        if not await people.remove(principal.scope, id):
            raise _unknown(id)
        return Response(status_code=204)

    @routes.post("/{id}/safe-word")
    async def ask(id: str, given: SafeWordRequest, principal: OfCall) -> SafeWordMessage:
        """Say whether what the other side answered is the safe word; a few tries a minute."""
        try:
            found = await people.try_word(principal.scope, id, given.word)
        except TooManyTriesError as exc:
            raise too_many(exc) from exc
        if found is None:
            raise HTTPException(404, f"no person {id!r} with a safe word is known")
        return SafeWordMessage(matches=found)

    @routes.put("/{id}/reference", openapi_extra=_FILE)
    async def enrol(
        id: str, request: Request, principal: OfCall, passphrase: Passphrase, consent: bool = False
    ) -> ReferenceMessage:
        """Learn from a recording how a person looks and sounds. The recording is not kept, nor is the passphrase.

        The passphrase, of 8 characters at least, comes percent-encoded as UTF-8.
        """
        if not consent:
            raise HTTPException(422, NO_CONSENT)
        if await people.find(principal.scope, id) is None:
            raise _unknown(id)
        try:
            row = await references.put(id, await enrolment.read(request.stream()), unquote(passphrase))
        except TooLargeError as exc:
            raise HTTPException(413, str(exc)) from exc
        except ServiceFullError as exc:
            raise HTTPException(429, str(exc), {"Retry-After": str(exc.retry_after_s)}) from exc
        except (MediaError, ValueError) as exc:
            raise HTTPException(422, str(exc)) from exc
        except OSError as exc:
            if exc.errno != errno.ENOSPC:
                raise
            raise HTTPException(507, "the service's disk is full: the recording was not taken") from exc
        return ReferenceMessage.model_validate(row)

    @routes.delete("/{id}/reference", status_code=204, response_class=Response)
    async def forget(id: str, principal: OfCall) -> Response:
        """Forget how a person looks and sounds."""
        if await people.find(principal.scope, id) is None or not await references.remove(id):
            raise HTTPException(404, f"no person {id!r} with a reference is known")
        return Response(status_code=204)

    return routes


def too_many(exc: TooManyTriesError) -> HTTPException:
    """Return what to answer to somebody who guesses."""
    return HTTPException(429, str(exc), {"Retry-After": str(math.ceil(exc.after_s))})


def _unknown(id: str) -> HTTPException:
    return HTTPException(404, f"no person {id!r} is known")


def _message(row: PersonRow, kept: ReferenceRow | None) -> PersonMessage:
    return PersonMessage(
        id=row.id,
        name=row.name,
        number=row.number,
        has_safe_word=bool(row.safe_word),
        customer=row.customer,
        reference=ReferenceMessage.model_validate(kept) if kept is not None else None,
        created_at=row.created_at,
    )
