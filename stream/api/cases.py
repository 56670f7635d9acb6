"""The fraud desk over HTTP: the queue, what people do with a case, figures, exports."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import StreamingResponse

from models.window import Signal
from stream.alerts.cases import Cases, Wanted
from stream.alerts.evidence import Evidence
from stream.alerts.recorder import Recorder
from stream.alerts.tables import CaseRow, EvidenceRow
from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.case_messages import (
    CaseActionMessage,
    CaseDetailMessage,
    CaseMessage,
    CasePageMessage,
    CaseStatus,
    Deed,
    DeedRequest,
    DriftMessage,
    EvidenceItemMessage,
    StakeMessage,
    StakeRequest,
    StatisticsMessage,
)
from stream.api.principal import Principal
from stream.api.promise_messages import LabelMessage, LabelRequest
from stream.api.seen import seen_call, seen_case
from stream.desk import Desk
from stream.scope import Scope

Sort = Literal["urgency", "newest", "amount", "evidence"]
PAGE = 1000
_CSV = {"Content-Disposition": 'attachment; filename="cases.csv"'}
_JSON = {"Content-Disposition": 'attachment; filename="cases.json"'}
_LABELS_CSV = {"Content-Disposition": 'attachment; filename="labels.csv"'}
_LABELS = {CaseStatus.FALSE_ALARM: "bona_fide", CaseStatus.CONFIRMED_FRAUD: "spoof"}
_WRITTEN = frozenset({"name", "reference", "assignee", "reason", "decided_by"})
"""What people wrote; our own ids may begin with a minus and stay as they are."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def wanted(
    status: Annotated[str, Query(max_length=100, description="Comma-separated; empty: all")] = "",
    q: Annotated[str, Query(max_length=200, description="Words of names, references, notes")] = "",
    assignee: Annotated[str | None, Query(max_length=100, description="Empty: nobody's")] = None,
    signal: Signal | None = None,
    since: Annotated[datetime | None, Query(description="Raised at or after")] = None,
    until: Annotated[datetime | None, Query(description="Raised before")] = None,
    handed_over: bool | None = None,
    session: Annotated[str | None, Query(max_length=64)] = None,
) -> Wanted:
    """Read the filters of a queue; those who ask for it only see their organisation's."""
    try:
        statuses = tuple(CaseStatus(name) for name in status.split(",") if name)
    except ValueError as exc:
        raise HTTPException(422, f"{exc}; expected {', '.join(CaseStatus)}") from exc
    return Wanted(
        org="",
        statuses=statuses,
        text=q,
        assignee=assignee,
        signal=signal,
        since_s=_epoch_s(since),
        until_s=_epoch_s(until),
        handed_over=handed_over,
        session=session,
    )


def _epoch_s(at: datetime | None) -> float | None:
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


Filters = Annotated[Wanted, Depends(wanted)]


def router(cases: Cases, evidence: Evidence, recorder: Recorder, desk: Desk, access: Access) -> APIRouter:
    """Return the routes of the fraud desk."""
    routes = APIRouter(prefix="/v1", tags=["cases"])
    OfTriage = Annotated[Principal, Depends(access.needs(Right.TRIAGE))]
    OfDesk = Annotated[Principal, Depends(access.needs(Right.DESK))]

    @routes.get("/cases")
    async def page(
        principal: OfDesk,
        filters: Filters,
        sort: Sort = "urgency",
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 100,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    ) -> CasePageMessage:
        """Return a page of the queue over all calls."""
        seq = recorder.seq  # before the page: what comes after it is told live
        total, found = await cases.page(_in(filters, principal), sort, limit, offset)
        return CasePageMessage(total=total, seq=seq, cases=found)

    @routes.get("/cases.csv", response_class=StreamingResponse)
    async def export_csv(principal: OfDesk, filters: Filters) -> StreamingResponse:
        """Return all cases that the filters let through as CSV for spreadsheets."""
        rows = _csv(_all(cases, _in(filters, principal)))
        return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=_CSV)

    @routes.get("/cases.json", response_class=StreamingResponse)
    async def export_json(principal: OfDesk, filters: Filters) -> StreamingResponse:
        """Return all cases that the filters let through as one JSON array."""
        rows = _json(_all(cases, _in(filters, principal)))
        return StreamingResponse(rows, media_type="application/json", headers=_JSON)

    @routes.get("/labels.csv", response_class=StreamingResponse)
    async def labels(principal: OfDesk) -> StreamingResponse:
        """Return what alerts were found to be, as `models.training.calibrate decision --labels` reads it.

        `file` is the call's reference, by which whoever keeps recordings finds it; without one its id.
        """
        found = _all(cases, Wanted(org=principal.org, statuses=tuple(_LABELS)))
        return StreamingResponse(_labels(found), media_type="text/csv; charset=utf-8", headers=_LABELS_CSV)

    @routes.get("/cases/{alert}")
    async def detail(alert: str, principal: OfTriage) -> CaseDetailMessage:
        """Return one case, and what is kept of it."""
        row = await seen_case(cases, principal, alert)
        kept = [_item(evidence, piece) for piece in await evidence.of(alert)]
        may_see = Right.EVIDENCE in principal.rights
        return CaseDetailMessage(
            case=cases.message(row),
            evidence=kept if may_see else [],
            chain=await cases.chain(row.session),
            may_see_evidence=may_see,
        )

    @routes.post("/cases/{alert}/deeds", status_code=201)
    async def deed(alert: str, given: DeedRequest, principal: OfTriage) -> CaseActionMessage:
        """Claim, release, assign, hand over or reopen a case, or write a note. 409 where somebody was quicker."""
        row = await seen_case(cases, principal, alert)
        if given.deed not in (Deed.NOTE, Deed.HANDED_OVER) and Right.DESK not in principal.rights:
            raise HTTPException(403, f"a {principal.role} has not the right 'desk'")
        if given.deed is Deed.ASSIGNED and not given.to.strip():
            raise HTTPException(422, "`to` is empty; expected the name of whom the case is assigned to")
        if given.deed is Deed.NOTE and not given.note.strip():
            raise HTTPException(422, "`note` is empty; expected some words")
        said = CaseActionMessage(
            seq=0,
            session=row.session,
            alert=alert,
            at=_now(),
            deed=given.deed,
            by=principal.name,
            to=given.to.strip(),
            note=given.note.strip(),
        )
        kept = await recorder.keep(lambda seq: said.model_copy(update={"seq": seq}), _scope(row))
        return said.model_copy(update={"seq": kept.seq})

    @routes.post("/alerts/{alert}/label")
    async def label(alert: str, given: LabelRequest, principal: OfTriage) -> LabelMessage:
        """Decide what an alert was; the newest label counts. No threshold follows by itself."""
        row = await seen_case(cases, principal, alert)
        said = LabelMessage(
            seq=0,
            session=row.session,
            alert=alert,
            at=_now(),
            label=given.label,
            by=principal.name if principal.token else given.by or principal.name,
            note=given.note,
            reason=given.reason,
        )
        kept = await recorder.keep(lambda seq: said.model_copy(update={"seq": seq}), _scope(row))
        return said.model_copy(update={"seq": kept.seq})

    @routes.post("/sessions/{session}/stake", status_code=201)
    async def stake(session: str, given: StakeRequest, principal: OfTriage) -> StakeMessage:
        """Say what may be lost in a running or recent call; the newest counts, and cases are sorted by it."""
        scope = seen_call(desk, principal, session)
        said = StakeMessage(seq=0, session=session, at=_now(), by=principal.name, **given.model_dump())
        kept = await recorder.keep(lambda seq: said.model_copy(update={"seq": seq}), scope)
        return said.model_copy(update={"seq": kept.seq})

    @routes.get("/statistics")
    async def statistics(principal: OfDesk, days: Annotated[int, Query(ge=1, le=366)] = 30) -> StatisticsMessage:
        """Return how the desk did: alerts a day, what they were found to be, time to triage, coverage."""
        return await cases.statistics(principal.org, days)

    @routes.get("/drift")
    async def drift(principal: OfDesk) -> DriftMessage:
        """Return how scores of calls that nobody found forged move from week to week."""
        return await cases.drift(principal.org)

    return routes


def _in(filters: Wanted, principal: Principal) -> Wanted:
    return replace(filters, org=principal.org)


def _scope(row: CaseRow) -> Scope:
    return Scope(row.org, row.owner)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _item(evidence: Evidence, piece: EvidenceRow) -> EvidenceItemMessage:
    names = set(EvidenceItemMessage.model_fields) - {"keep_until"}
    fields = {name: getattr(piece, name) for name in names}
    return EvidenceItemMessage(**fields, keep_until=evidence.keep_until(piece))


async def _all(cases: Cases, filters: Wanted) -> AsyncIterator[CaseMessage]:
    """Yield all cases, newest first, a page at a time."""
    offset = 0
    while True:
        _, found = await cases.page(filters, "newest", PAGE, offset)
        for case in found:
            yield case
        if len(found) < PAGE:
            return
        offset += PAGE


async def _csv(found: AsyncIterator[CaseMessage]) -> AsyncIterator[str]:
    yield "\ufeff" + _line(list(CaseMessage.model_fields))  # so that spreadsheets take it for UTF-8
    async for case in found:
        values = case.model_dump(mode="json")
        values["signals"] = " ".join(case.signals)
        yield _line([_safe(value) if name in _WRITTEN else value for name, value in values.items()])


async def _labels(found: AsyncIterator[CaseMessage]) -> AsyncIterator[str]:
    yield _line(["file", "label", "session", "alert", "raised_at", "is_telephone", "signals", "reason", "decided_by"])
    async for case in found:
        who = [case.session, case.alert, case.raised_at, case.is_telephone, " ".join(case.signals)]
        file = _safe(case.reference) or case.session
        yield _line([file, _LABELS[case.status], *who, _safe(case.reason), _safe(case.decided_by)])


def _safe(value: object) -> object:
    """Keep a spreadsheet from running what a caller was named."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _line(values: list[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


async def _json(found: AsyncIterator[CaseMessage]) -> AsyncIterator[str]:
    separator = "["
    async for case in found:
        yield separator + case.model_dump_json()
        separator = ",\n"
    yield "]" if separator != "[" else "[]"
