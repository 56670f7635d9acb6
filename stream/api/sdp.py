"""SDP over HTTP, as WHIP (RFC 9725) and WHEP have it: bodies in, answers out."""

from typing import Any

from fastapi import Request, Response

from stream.errors import SignallingError
from stream.ingest.offer import MAX_SDP_BYTES
from stream.ingest.webrtc import Answer

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"

# For OpenAPI.
OFFERED: dict[str, Any] = {"requestBody": {"required": True, "content": {SDP: {"schema": {"type": "string"}}}}}
ANSWERED: dict[int | str, dict[str, Any]] = {201: {"description": "The answer", "content": {SDP: {}}}}


async def read_sdp(request: Request, media_type: str) -> str:
    """Return the body as text; what Content-Length says is not believed.

    Raises:
        SignallingError: Another media type (415), too long (413), or no text (400).
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise SignallingError(f"Content-Type is {given[:60] or 'missing'}, expected {media_type}", status=415)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_SDP_BYTES:
            raise SignallingError(f"the body has more than {MAX_SDP_BYTES} bytes", status=413)
    try:
        return body.decode()
    except UnicodeDecodeError as exc:
        raise SignallingError("the body is not valid UTF-8") from exc


async def read_fragment(request: Request) -> tuple[str, str]:
    """Return trickled candidates and the ETag that they are for.

    Raises:
        SignallingError: As `read_sdp`, or no ETag is named (428).
    """
    fragment = await read_sdp(request, FRAGMENT)
    if "if-match" not in request.headers:
        raise SignallingError("If-Match is missing; send the ETag of the answer", status=428)
    return fragment, request.headers["if-match"]


def answered(answer: Answer, location: str, headers: dict[str, str]) -> Response:
    """Return the response to an offer.

    Args:
        answer: To it.
        location: Of the resource to patch and delete.
        headers: To add.
    """
    response = Response(answer.sdp, status_code=201, media_type=SDP, headers=headers)
    response.headers["Location"] = location
    response.headers["ETag"] = answer.etag
    response.headers["Accept-Patch"] = FRAGMENT
    return response
