"""The queue of the fraud desk: its pages, its figures, and how scores of genuine calls move."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.window import Signal
from stream.alerts import urgency
from stream.alerts.database import Sessions
from stream.alerts.tables import CallRow, CaseRow, seconds_of
from stream.api.case_messages import (
    CaseMessage,
    CaseStatus,
    DayMessage,
    DriftMessage,
    StatisticsMessage,
    WeekMessage,
)

DAY_S = 86_400.0
DRIFT_DAYS = 366.0
Raised = tuple[float, str, float | None]
"""When, what became of it, and when a person first acted on it [s]."""
SORTS = ("urgency", "newest", "amount", "evidence")
DECIDED = (CaseStatus.CONFIRMED_FRAUD, CaseStatus.FALSE_ALARM, CaseStatus.INCONCLUSIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cases are asked for."""

    org: str
    statuses: Sequence[CaseStatus] = ()
    text: str = ""
    assignee: str | None = None
    """Empty: nobody's."""
    signal: Signal | None = None
    since_s: float | None = None
    until_s: float | None = None
    handed_over: bool | None = None
    session: str | None = None


class Cases:
    """Reads the cases of a store.

    Args:
        sessions: Of the store.
        now: Seconds since the epoch [s].
    """

    def __init__(self, sessions: Sessions, now: Callable[[], float] = time.time) -> None:
        self._sessions = sessions
        self._now = now

    async def find(self, alert: str) -> CaseRow | None:
        """Return the case of an alert; None if there was no such alert."""
        async with self._sessions() as db:
            return await db.get(CaseRow, alert)

    async def chain(self, session: str) -> str:
        """Return the newest link of a call's chain; empty if nothing of it is stored."""
        async with self._sessions() as db:
            row = await db.get(CallRow, session)
            return row.chain if row else ""

    async def page(self, wanted: Wanted, sort: str, limit: int, offset: int) -> tuple[int, list[CaseMessage]]:
        """Return how many cases there are, and a page of them in the order of `sort`, one of `SORTS`."""
        now_s = self._now()
        where = list(_conditions(wanted))
        async with self._sessions() as db:
            total = await db.scalar(select(func.count()).select_from(CaseRow).where(*where)) or 0
            query: Select[CaseRow] = select(CaseRow).where(*where).order_by(*_order(sort, now_s))
            rows = await db.scalars(query.limit(limit).offset(offset))
            return total, [self.message(row, now_s) for row in rows]

    def message(self, row: CaseRow, now_s: float | None = None) -> CaseMessage:
        """Return a case as it goes over the wire."""
        now_s = self._now() if now_s is None else now_s
        names = set(CaseMessage.model_fields) - {"signals", "urgency"}
        return CaseMessage(
            **{name: getattr(row, name) for name in names},
            signals=[Signal(name) for name in row.signals.split(",") if name],
            urgency=urgency.urgency(row.rank, row.ended_s, now_s),
        )

    async def counts(self) -> dict[str, int]:
        """Return how many cases of all organisations have which status."""
        query = select(CaseRow.status, func.count()).group_by(CaseRow.status)
        async with self._sessions() as db:
            found = {status: n for status, n in await db.execute(query)}
        return {status.value: found.get(status.value, 0) for status in CaseStatus}

    async def statistics(self, org: str, days: int) -> StatisticsMessage:
        """Return how the desk did in the last days."""
        since_s = _midnight(self._now()) - (days - 1) * DAY_S
        async with self._sessions() as db:
            columns = (CaseRow.raised_s, CaseRow.status, CaseRow.touched_s)
            query = select(*columns).where(CaseRow.org == org, CaseRow.raised_s >= since_s)
            cases: list[Raised] = [(raised, status, touched) for raised, status, touched in await db.execute(query)]
            waiting = select(CaseRow.status, func.count()).where(CaseRow.org == org).group_by(CaseRow.status)
            counts = {status: n for status, n in await db.execute(waiting)}
            calls = await _ended(db, org, since_s)
        decided = [status for _, status, _ in cases if status in DECIDED]
        triage = sorted(touched - raised for raised, _, touched in cases if touched is not None)
        return StatisticsMessage(
            days=_days(cases, calls, since_s, days),
            open=counts.get(CaseStatus.OPEN, 0),
            in_review=counts.get(CaseStatus.IN_REVIEW, 0),
            confirmed_share=decided.count(CaseStatus.CONFIRMED_FRAUD) / len(decided) if decided else None,
            median_triage_s=float(np.quantile(triage, 0.5)) if triage else None,
            p90_triage_s=float(np.quantile(triage, 0.9)) if triage else None,
        )

    async def drift(self, org: str) -> DriftMessage:
        """Return how scores move from week to week, of calls without an alert or whose alerts were all found false.

        Of the last year.
        """
        async with self._sessions() as db:
            not_false = select(CaseRow.session).where(CaseRow.org == org, CaseRow.status != CaseStatus.FALSE_ALARM)
            suspicious = set(await db.scalars(not_false))
            calls = await _ended(db, org, self._now() - DRIFT_DAYS * DAY_S)
        weeks: dict[tuple[str, str, bool], list[float]] = defaultdict(list)
        for call in calls:
            if call.session in suspicious or not call.ended_at:
                continue
            day = datetime.fromisoformat(call.ended_at).date()
            monday = (day - timedelta(days=day.weekday())).isoformat()
            for signal, llr in (call.mean_llr or {}).items():
                weeks[monday, signal, bool(call.is_telephone)].append(llr)
        return DriftMessage(weeks=[_week(*key, llrs) for key, llrs in sorted(weeks.items())])


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield CaseRow.org == wanted.org
    if wanted.statuses:
        yield CaseRow.status.in_([status.value for status in wanted.statuses])
    if wanted.assignee is not None:
        yield CaseRow.assignee == wanted.assignee
    if wanted.signal is not None:
        yield CaseRow.signals.contains(wanted.signal.value)
    if wanted.since_s is not None:
        yield CaseRow.raised_s >= wanted.since_s
    if wanted.until_s is not None:
        yield CaseRow.raised_s < wanted.until_s
    if wanted.handed_over is not None:
        yield CaseRow.is_handed_over.is_(wanted.handed_over)
    if wanted.session is not None:
        yield CaseRow.session == wanted.session
    for word in wanted.text.lower().split()[:8]:
        yield or_(CaseRow.text.contains(word, autoescape=True), func.lower(CaseRow.assignee) == word)


def _order(sort: str, now_s: float) -> tuple[ColumnElement[float], ...]:
    newest = CaseRow.raised_s.desc()
    if sort == "amount":
        return func.coalesce(CaseRow.amount, -1.0).desc(), newest
    if sort == "evidence":
        return (CaseRow.evidence_nat / CaseRow.threshold_nat).desc(), newest
    if sort == "urgency":
        # As `urgency.urgency`, of which only the order counts.
        left = case((CaseRow.ended_s.is_(None), urgency.RUNNING), else_=(CaseRow.ended_s - now_s) / urgency.HALF_LIFE_S)
        return (CaseRow.rank + left).desc(), newest
    return (newest,)


async def _ended(db: AsyncSession, org: str, since_s: float) -> list[CallRow]:
    since = datetime.fromtimestamp(since_s, UTC).isoformat()
    return list(await db.scalars(select(CallRow).where(CallRow.org == org, CallRow.ended_at >= since)))


def _days(cases: Sequence[Raised], calls: Sequence[CallRow], since_s: float, n: int) -> list[DayMessage]:
    found: list[dict[str, float]] = [defaultdict(float) for _ in range(n)]
    for raised_s, status, _ in cases:
        found[min(int((raised_s - since_s) // DAY_S), n - 1)][status] += 1
    for call in calls:
        day = found[min(int((seconds_of(call.ended_at or "") - since_s) // DAY_S), n - 1)]
        for name in ("call_s", "face_s", "speech_s"):
            day[name] += getattr(call, name) or 0.0
    return [_day(datetime.fromtimestamp(since_s + i * DAY_S, UTC).date(), counted) for i, counted in enumerate(found)]


def _day(day: date, counted: dict[str, float]) -> DayMessage:
    call_s = counted["call_s"]
    return DayMessage(
        day=day.isoformat(),
        alerts=int(sum(counted[status] for status in CaseStatus)),
        confirmed=int(counted[CaseStatus.CONFIRMED_FRAUD]),
        false_alarms=int(counted[CaseStatus.FALSE_ALARM]),
        inconclusive=int(counted[CaseStatus.INCONCLUSIVE]),
        undecided=int(counted[CaseStatus.OPEN] + counted[CaseStatus.IN_REVIEW]),
        call_hours=call_s / 3600,
        face_share=min(counted["face_s"] / call_s, 1.0) if call_s else None,
        speech_share=min(counted["speech_s"] / call_s, 1.0) if call_s else None,
    )


def _week(monday: str, signal: str, is_telephone: bool, llrs: Sequence[float]) -> WeekMessage:
    low, median, high = np.quantile(llrs, (0.1, 0.5, 0.9))
    return WeekMessage(
        week=monday,
        signal=Signal(signal),
        is_telephone=is_telephone,
        calls=len(llrs),
        low=float(low),
        median=float(median),
        high=float(high),
    )


def _midnight(now_s: float) -> float:
    return datetime.fromtimestamp(now_s, UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
