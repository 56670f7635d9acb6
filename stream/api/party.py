"""The other side of a running call: which face is theirs, whom they are compared with, what they are asked to do."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Response

from models.challenge import ChallengeKind
from models.identity import IdentityModel
from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.people import too_many
from stream.api.people_messages import CompareRequest, FaceRequest
from stream.api.principal import Principal
from stream.api.seen import seen_call
from stream.api.side_messages import AskedMessage, CheckRequest, ProposedMessage
from stream.api.told import asked_message
from stream.checks.challenges import proposed
from stream.checks.passphrase import WrongPassphraseError
from stream.checks.people import People, TooManyTriesError
from stream.checks.references import References, StaleReferenceError
from stream.desk import Desk
from stream.session import Session, challenge_scores


def router(desk: Desk, people: People, references: References, model: IdentityModel, access: Access) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1/sessions/{session}", tags=["calls"])
    OfCall = Annotated[Principal, Depends(access.needs(Right.CALL))]

    def running(session: str, principal: Principal) -> Session:
        seen_call(desk, principal, session)
        found = desk.running(session)
        if found is None:
            raise HTTPException(409, f"call {session!r} has ended")
        return found

    @routes.put("/face", status_code=204, response_class=Response)
    async def choose(session: str, given: FaceRequest, principal: OfCall) -> Response:
        """Judge one face of the picture alone: the one that a person chose, or the largest that moves."""
        running(session, principal).other.choose_face(given.track)
        return Response(status_code=204)

    @routes.get("/checks")
    async def checks(session: str, principal: OfCall) -> ProposedMessage:
        """Return which checks are worth most now, and the one that runs; of a call that has ended none."""
        seen_call(desk, principal, session)
        call = desk.running(session)
        if call is None:
            return ProposedMessage(proposed=[], running=None)
        now = call.other.challenges.now
        return ProposedMessage(proposed=list(best_for(call)), running=asked_message(now) if now else None)

    @routes.post("/checks", status_code=201)
    async def check(session: str, given: CheckRequest, principal: OfCall) -> AskedMessage:
        """Ask something of the other side; say it to them, or show it. What came of it is an event, `check`."""
        call = running(session, principal)
        kind = given.kind or best_for(call)[0]
        if kind is ChallengeKind.LIGHT and not call.info.is_invited:
            raise HTTPException(409, "only a page that was opened by our own link can show colours")
        return asked_message(call.other.challenge(kind, principal.name))

    @routes.put("/reference", status_code=204, response_class=Response)
    async def compare(session: str, given: CompareRequest, principal: OfCall) -> Response:
        """Compare the caller with an enrolled person from now on, until the call ends. The passphrase is not kept."""
        call = running(session, principal)
        person = await people.find(principal.scope, given.person)
        if person is None:
            raise HTTPException(404, f"no person {given.person!r} is known")
        try:
            people.count_try(person.id)
            known = await references.open(person.id, given.passphrase)
        except TooManyTriesError as exc:
            raise too_many(exc) from exc
        except WrongPassphraseError as exc:
            raise HTTPException(403, str(exc)) from exc
        except StaleReferenceError as exc:
            raise HTTPException(409, str(exc)) from exc
        if known is None:
            raise HTTPException(404, f"{person.name!r} was not enrolled")
        call.other.compare_with(person.name, known, model)
        return Response(status_code=204)

    @routes.delete("/reference", status_code=204, response_class=Response)
    async def leave(session: str, principal: OfCall) -> Response:
        """Compare the caller with nobody any more."""
        running(session, principal).other.compare_with_nobody()
        return Response(status_code=204)

    return routes


def best_for(call: Session) -> tuple[ChallengeKind, ...]:
    """Return which checks are worth most in a call now."""
    said = call.timeline[-1] if call.timeline else None
    return proposed(said, challenge_scores().information, can_show=call.info.is_invited)
