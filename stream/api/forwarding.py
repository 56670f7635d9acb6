"""What forwarding a forged clip may mean, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query

from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.principal import Principal
from stream.errors import KuaError
from stream.forwarding.pack import Pack, load


def router(access: Access) -> APIRouter:
    """Return the route of the content packs."""
    routes = APIRouter(prefix="/v1", tags=["forwarding"])
    OfCall = Annotated[Principal, Depends(access.needs(Right.CALL))]

    @routes.get("/forwarding")
    async def forwarding(
        principal: OfCall, country: Annotated[str, Query(pattern=r"^[A-Za-z]{2}$", description="ISO 3166")] = "KZ"
    ) -> Pack:
        """Return what sources say of forwarding, each with its date; not legal advice."""
        try:
            return load(country)
        except KuaError as exc:
            raise HTTPException(404, str(exc)) from exc

    return routes
