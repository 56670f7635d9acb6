"""Forwarded clips over HTTP: a file in, an answer to ask for until it is there."""

import errno
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.clip_messages import ClipMessage
from stream.api.principal import Principal
from stream.errors import ServiceFullError
from stream.forwarded.clips import Clips
from stream.forwarded.upload import TooLargeError

_FILE = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}}


def router(clips: Clips, access: Access) -> APIRouter:
    """Return the routes of forwarded clips; everybody sees their own alone."""
    routes = APIRouter(prefix="/v1/clips", tags=["clips"])
    OfCall = Annotated[Principal, Depends(access.needs(Right.CALL))]

    @routes.post("", status_code=202, openapi_extra=_FILE)
    async def upload(
        request: Request, principal: OfCall, name: Annotated[str, Query(max_length=200)] = ""
    ) -> ClipMessage:
        """Take a file as it is in the body, and begin to check it. It is deleted as soon as it was checked."""
        try:
            return await clips.add(unquote(name), request.stream(), principal.scope)
        except TooLargeError as exc:
            raise HTTPException(413, str(exc)) from exc
        except ServiceFullError as exc:
            raise HTTPException(429, str(exc), {"Retry-After": str(exc.retry_after_s)}) from exc
        except OSError as exc:
            if exc.errno != errno.ENOSPC:
                raise
            raise HTTPException(507, "the service's disk is full: the file was not taken") from exc

    @routes.get("/{id}")
    async def clip(id: str, principal: OfCall) -> ClipMessage:
        """Return how far the check of a clip is, and its answer once it is there."""
        found = clips.get(id, principal.scope)
        if found is None:
            raise HTTPException(404, f"clip {id!r} is not known, or its hour is over")
        return found

    @routes.delete("/{id}", status_code=204, response_class=Response)
    async def cancel(id: str, principal: OfCall) -> Response:
        """Stop the check of a clip and forget it."""
        if not clips.cancel(id, principal.scope):
            raise HTTPException(404, f"clip {id!r} is not known, or its hour is over")
        return Response(status_code=204)

    return routes
