"""The command line's part for tokens: they are made and revoked in the store itself, the service running or not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from stream.alerts.store import open_store
from stream.alerts.tables import TokenRow
from stream.alerts.tokens import Tokens
from stream.api.admin import token_message
from stream.api.admin_messages import Role
from stream.errors import ConflictError, SettingsError
from stream.recordings import err, out
from stream.settings import Settings, load_settings

T = TypeVar("T")

BY = "command line"

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke tokens in the service's store.")


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Of the person or program that will use it")],
    role: Annotated[Role, typer.Option(help="What it may do")],
    org: Annotated[str, typer.Option(help="Its organisation; default: KUA_ORGANISATION")] = "",
    days: Annotated[float | None, typer.Option(min=0.01, help="After which it expires; default: never [d]")] = None,
) -> None:
    """Make a token and print it, this once."""
    settings = load_settings()

    async def work(tokens: Tokens) -> str:
        has_operator = bool(settings.token)
        whose = org or settings.organisation
        made = await tokens.create(whose, name, role, by=BY, days=days, has_operator=has_operator)
        return made.secret

    secret = asyncio.run(_with_tokens(settings, work))
    typer.echo(secret)
    err.print("Keep it: only its hash is stored. It is used as `Authorization: Bearer ...`", highlight=False)


@app.command("list")
def list_() -> None:
    """List all tokens, without their secrets."""
    rows = asyncio.run(_with_tokens(load_settings(), lambda tokens: tokens.tokens()))
    table = Table("id", "organisation", "role", "name", "made", "expires", "last used", "revoked")
    for row in rows:
        said = token_message(row)
        ends = (said.created_at, said.expires_at or "never", said.used_at or "never", said.revoked_at or "")
        table.add_row(row.id, row.org, row.role, row.name, *ends)
    out.print(table)


@app.command()
def revoke(id: Annotated[str, typer.Argument(help="Of the token, as `list` shows it")]) -> None:
    """Revoke a token; a running service ends what it opened within ten seconds."""
    if not asyncio.run(_with_tokens(load_settings(), lambda tokens: tokens.revoke(TokenRow, id))):
        raise ConflictError(f"no token {id!r} that could be revoked; see `python -m stream tokens list`")
    out.print(f"revoked {id}", highlight=False)


async def require_guard(settings: Settings) -> None:
    """Refuse to be reached from outside by whoever comes.

    Raises:
        SettingsError: There is neither `KUA_TOKEN` nor an administrator's token, and the address is not a loopback one.
    """
    if settings.token or settings.is_loopback:
        return
    if not await _with_tokens(settings, lambda tokens: tokens.has_admin()):
        raise SettingsError(
            f"host {settings.host} can be reached from outside: set KUA_TOKEN, or make a token with "
            "`python -m stream tokens create --role admin --name NAME`"
        )


async def _with_tokens(settings: Settings, work: Callable[[Tokens], Awaitable[T]]) -> T:
    store = open_store(settings)
    try:
        await store.open()
        return await work(Tokens(store.sessions))
    finally:
        await store.close()
