"""Questions to somebody who knows the caller, over HTTP: one link a question."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Response

from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.people_messages import AnswerRequest, AskMessage, AskRequest, NewAskMessage, QuestionMessage
from stream.api.principal import Principal
from stream.api.seen import PRIVATE
from stream.checks.asks import Ask, Asks

GONE = "this link is over; ask for a new one"


def router(asks: Asks, access: Access) -> APIRouter:
    """Return the routes: those of who asks, and those of who has a link."""
    routes = APIRouter(prefix="/v1", tags=["people"])
    OfCall = Annotated[Principal, Depends(access.needs(Right.CALL))]
    OfLink = Annotated[None, Depends(access.counted)]
    Link = Annotated[str, Header(alias="Kua-Link", max_length=100, pattern=r"^[\w-]*$")]

    def behind(link: str) -> Ask:
        found = asks.behind(link)
        if found is None:
            raise HTTPException(404, GONE)
        return found

    @routes.post("/asks", status_code=201)
    async def ask(given: AskRequest, principal: OfCall) -> NewAskMessage:
        """Make a link by which somebody who knows the caller can say whether it is them."""
        made = asks.ask(principal.scope, given.about, given.by)
        return NewAskMessage(id=made.id, path=f"/answer#{made.secret}")

    @routes.get("/asks/{id}")
    async def look(id: str, principal: OfCall) -> AskMessage:
        """Return what was answered so far."""
        found = asks.get(id, principal.scope)
        if found is None:
            raise HTTPException(404, f"question {id!r} is not known, or its hour is over")
        return AskMessage(answer=found.answer, note=found.note)

    @routes.delete("/asks/{id}", status_code=204, response_class=Response)
    async def cancel(id: str, principal: OfCall) -> Response:
        """Make a link invalid."""
        if not asks.cancel(id, principal.scope):
            raise HTTPException(404, f"question {id!r} is not known, or its hour is over")
        return Response(status_code=204)

    @routes.get("/answer")
    async def question(response: Response, _: OfLink, link: Link) -> QuestionMessage:
        """Return the question behind a link."""
        response.headers.update(PRIVATE)
        found = behind(link)
        return QuestionMessage(about=found.about, by=found.by, is_answered=found.answer is not None)

    @routes.post("/answer", status_code=204, response_class=Response)
    async def answer(given: AnswerRequest, _: OfLink, link: Link) -> Response:
        """Answer the question behind a link, once."""
        asks.answer(behind(link), given.answer, given.note)
        return Response(status_code=204)

    return routes
