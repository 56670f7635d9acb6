"""The command line's part for the fraud desk: what its page can do, for scripts and terminals."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from stream.api.case_messages import CaseMessage, Deed
from stream.api.messages import HelloMessage, VerdictMessage
from stream.api.promise_messages import AlertLabel
from stream.client import Client
from stream.recordings import out

app = typer.Typer(no_args_is_help=True, help="Work on the cases of a running service.")

Url = Annotated[str, typer.Option(envvar="KUA_URL", help="The running service")]
Token = Annotated[str, typer.Option(envvar="KUA_TOKEN", help="Bearer token")]
Alert = Annotated[str, typer.Argument(help="Id of the alert, as `list` shows it")]
DEFAULT_URL = "http://127.0.0.1:8400"


class Language(StrEnum):
    """Of a report."""

    KK = "kk"
    RU = "ru"
    EN = "en"


@app.command("list")
def list_(
    url: Url = DEFAULT_URL,
    token: Token = "",
    status: Annotated[str, typer.Option(help="Comma-separated; empty: all")] = "open,in_review",
    words: Annotated[str, typer.Option(help="Of names, references, notes")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line")] = False,
) -> None:
    """List cases, the most urgent first."""
    with Client(url, token) as kua:
        page = kua.page(limit=limit, status=status, q=words)
    if as_json:
        for case in page.cases:
            typer.echo(case.model_dump_json())
        return
    table = Table("alert", "call", "raised", "evidence", "of", "at risk", "status", "whose")
    for case in page.cases:
        table.add_row(*_row(case))
    out.print(table)
    out.print(f"{len(page.cases)} of {page.total}", highlight=False)


@app.command()
def act(
    alert: Alert,
    deed: Annotated[Deed, typer.Argument(help="What to do")],
    url: Url = DEFAULT_URL,
    token: Token = "",
    to: Annotated[str, typer.Option(help="Whom to assign it to")] = "",
    note: Annotated[str, typer.Option(help="Some words")] = "",
) -> None:
    """Claim, release, assign, hand over or reopen a case, or write a note."""
    with Client(url, token) as kua:
        said = kua.act(alert, deed, to=to, note=note)
    out.print(f"{said.deed} by {said.by}", highlight=False)


@app.command()
def decide(
    alert: Alert,
    label: Annotated[AlertLabel, typer.Argument(help="What it was")],
    url: Url = DEFAULT_URL,
    token: Token = "",
    reason: Annotated[str, typer.Option(help="What the decision rests on, in a few words")] = "",
    note: Annotated[str, typer.Option(help="More words")] = "",
) -> None:
    """Say what an alert was."""
    with Client(url, token) as kua:
        said = kua.label(alert, label, reason=reason, note=note)
    out.print(f"{said.label} by {said.by}", highlight=False)


@app.command()
def export(
    alert: Alert,
    to: Annotated[Path, typer.Option("--out", help="File to write: CASE.zip, or a report if it ends in .pdf")],
    url: Url = DEFAULT_URL,
    token: Token = "",
    language: Annotated[Language, typer.Option(help="Of a report")] = Language.EN,
) -> None:
    """Write a case as a signed file, or its report as PDF."""
    with Client(url, token) as kua:
        content = kua.report(alert, language.value) if to.suffix == ".pdf" else kua.case_file(alert)
    to.write_bytes(content)
    out.print(f"{to}: {len(content)} bytes", highlight=False)


@app.command()
def follow(
    url: Url = DEFAULT_URL,
    token: Token = "",
    after: Annotated[int | None, typer.Option(help="Begin after this event; default: with the next one")] = None,
) -> None:
    """Print stored events as lines of JSON, as they come."""
    with Client(url, token) as kua:
        for event in kua.follow(after):
            if not isinstance(event, HelloMessage | VerdictMessage):
                typer.echo(json.dumps(event.model_dump(mode="json"), ensure_ascii=False))


def _row(case: CaseMessage) -> tuple[str, ...]:
    at_risk = f"{case.amount:,.0f} {case.currency}" if case.amount is not None else ""
    nats = f"{case.evidence_nat:.1f}", f"{case.threshold_nat:.1f}"
    return case.alert, case.name, case.raised_at[:19], *nats, at_risk, case.status, case.assignee
