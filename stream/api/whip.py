"""WHIP over HTTP (RFC 9725): offers, trickled candidates, hang-ups. All errors are `{"error": "..."}`.

OPTIONS /whip              what is accepted; CORS preflight
POST    /whip              an offer -> 201, the answer, Location, ETag, Link for ICE servers
PATCH   /whip/{id}         more ICE candidates -> 204
DELETE  /whip/{id}         hang up -> 200
"""

import math
import time
from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from stream.api.calls import Calls
from stream.api.principal import Principal
from stream.api.rate import Rate
from stream.api.sdp import ANSWERED, OFFERED, SDP, answered, read_fragment, read_sdp
from stream.errors import ServiceFullError, SignallingError
from stream.ingest.webrtc import WebRtcIngest
from stream.settings import Settings

NAME_HEADER = "Kua-Name"
MAX_NAME_CHARS = 80
PREFLIGHT_AGE_S = 600


def router(
    ingest: WebRtcIngest,
    settings: Settings,
    calls: Calls,
    clock: Callable[[], float] = time.monotonic,
) -> APIRouter:
    """Return the routes.

    Args:
        ingest: Where the calls go.
        settings: `offers_per_minute`, `allowed_origins`.
        calls: Who may send one, and whose it then is.
        clock: Monotonic time [s].
    """
    whip = _Whip(ingest, settings, calls, clock)
    routes = APIRouter(tags=["whip"])
    OfCaller = Annotated[Principal, Depends(calls.needs)]

    @routes.post("/whip", status_code=201, response_class=Response, responses=ANSWERED, openapi_extra=OFFERED)
    async def post(request: Request, principal: OfCaller) -> Response:
        """Answer an offer (SDP) and open a call."""
        return await whip.post(request, principal)

    @routes.patch("/whip/{id}", status_code=204, response_class=Response)
    async def patch(request: Request, id: str, principal: OfCaller) -> Response:
        """Take more ICE candidates of a caller."""
        return await whip.patch(request, id, principal)

    @routes.delete("/whip/{id}", response_class=Response)
    async def delete(request: Request, id: str, principal: OfCaller) -> Response:
        """Hang up."""
        return await whip.delete(request, id, principal)

    for path in ("/whip", "/whip/{id}"):
        routes.add_api_route(path, whip.options, methods=["OPTIONS"], include_in_schema=False)
        # Named, so that files served at / do not answer them (RFC 9725 section 4.1).
        routes.add_api_route(path, whip.refuse_method, methods=["GET", "HEAD", "PUT"], include_in_schema=False)
    return routes


class _Whip:
    def __init__(self, ingest: WebRtcIngest, settings: Settings, calls: Calls, clock: Callable[[], float]) -> None:
        self._ingest = ingest
        self._calls = calls
        self._rate = Rate(settings.offers_per_minute)
        self._origins = frozenset(settings.allowed_origins)
        self._clock = clock

    async def post(self, request: Request, principal: Principal) -> Response:
        """Answer an offer (SDP) and open a call."""
        try:
            self._check_rate(request)
            sdp = await read_sdp(request, SDP)
            name = principal.invite.name if principal.invite else _name_of(request)
            desk, can_hear = self._calls.under(principal), principal.invite is not None
            answer = await self._ingest.answer(sdp, name, desk, can_hear=can_hear)
            await self._calls.joined(principal, answer.id)
        except (SignallingError, ServiceFullError) as exc:
            return self._error(request, exc)
        location = f"{request.scope.get('root_path', '')}/whip/{quote(answer.id, safe='')}"
        response = answered(answer, location, self._cors(request))
        for server in self._ingest.ice_servers:
            response.headers.append("Link", server.to_link())
        return response

    async def patch(self, request: Request, id: str, principal: Principal) -> Response:
        """Take more ICE candidates of a caller."""
        try:
            self._calls.require_own(principal, id)
            fragment, etag = await read_fragment(request)
            await self._ingest.patch(id, etag, fragment)
        except SignallingError as exc:
            return self._error(request, exc)
        return Response(status_code=204, headers=self._cors(request))

    async def delete(self, request: Request, id: str, principal: Principal) -> Response:
        """Hang up."""
        try:
            self._calls.require_own(principal, id)
            await self._ingest.delete(id)
        except SignallingError as exc:
            return self._error(request, exc)
        return Response(status_code=200, headers=self._cors(request))

    async def options(self, request: Request) -> Response:
        """Say what is accepted, and to pages of allowed origins that they may send it."""
        headers = {"Accept-Post": SDP, **self._cors(request)}
        if "access-control-allow-origin" in {name.lower() for name in headers}:
            headers["Access-Control-Allow-Methods"] = "POST, PATCH, DELETE, OPTIONS"
            headers["Access-Control-Allow-Headers"] = f"Authorization, Content-Type, If-Match, {NAME_HEADER}"
            headers["Access-Control-Max-Age"] = str(PREFLIGHT_AGE_S)
        return Response(status_code=200, headers=headers)

    async def refuse_method(self, request: Request) -> Response:
        """Refuse GET, HEAD and PUT."""
        exc = SignallingError(f"{request.method} is not for WHIP; offers are POSTed as {SDP}", status=405)
        response = self._error(request, exc)
        response.headers["Allow"] = "PATCH, DELETE, OPTIONS" if "id" in request.path_params else "POST, OPTIONS"
        return response

    def _check_rate(self, request: Request) -> None:
        address = request.client.host if request.client is not None else ""
        wait_s = self._rate.take(address, self._clock())
        if wait_s:
            raise _TooManyOffersError(f"too many offers; the next one in {math.ceil(wait_s)} s", math.ceil(wait_s))

    def _cors(self, request: Request) -> dict[str, str]:
        origin = request.headers.get("origin")
        if origin is None or origin not in self._origins:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": "Location, ETag, Link, Accept-Patch, Retry-After",
            "Vary": "Origin",
        }

    def _error(self, request: Request, exc: SignallingError | ServiceFullError) -> JSONResponse:
        status = exc.status if isinstance(exc, SignallingError) else 503
        response = JSONResponse({"error": str(exc)}, status, headers=self._cors(request))
        if isinstance(exc, ServiceFullError | _TooManyOffersError):
            response.headers["Retry-After"] = str(exc.retry_after_s)
        return response


class _TooManyOffersError(SignallingError):
    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message, status=429)
        self.retry_after_s = retry_after_s


def _name_of(request: Request) -> str:
    """Return the name to show for a call: the header, percent-encoded where it is not ASCII, or `?name=`."""
    name = unquote(request.headers.get(NAME_HEADER, "")) or request.query_params.get("name", "")
    if len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise SignallingError(f"the name of a call is at most {MAX_NAME_CHARS} printable characters")
    return name
