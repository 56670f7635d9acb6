"""What follows from an event for the calls and cases that people look at, within the transaction that stores it."""

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from stream.alerts import urgency
from stream.alerts.tables import CallRow, CaseRow, seconds_of
from stream.api.case_messages import VERDICTS, CaseActionMessage, CaseStatus, Deed, StakeMessage
from stream.api.messages import AlertMessage, SessionEndedMessage, SessionStartedMessage, StoredMessage
from stream.api.promise_messages import LabelMessage
from stream.errors import ConflictError
from stream.events import AlertKind
from stream.scope import Scope

MAX_TEXT_CHARS = 20_000
"""Of the notes of one case that the search looks through."""


async def project(db: AsyncSession, event: StoredMessage, scope: Scope) -> None:
    """Fold a numbered event into the calls and cases.

    Raises:
        ConflictError: A person's deed does not fit the case as it is now.
    """
    if isinstance(event, SessionStartedMessage):
        await _call(db, event, scope)
    elif isinstance(event, SessionEndedMessage):
        await _end(db, event)
    elif isinstance(event, AlertMessage):
        await _alert(db, event, scope)
    elif isinstance(event, StakeMessage):
        await _stake(db, event)
    elif isinstance(event, LabelMessage):
        await _label(db, event)
    elif isinstance(event, CaseActionMessage):
        await _deed(db, event)


async def call_of(db: AsyncSession, session: str, scope: Scope) -> CallRow:
    """Return the row of a call, made if this is the first that is heard of it."""
    row = await db.get(CallRow, session)
    if row is None:
        row = CallRow(session=session, org=scope.org, owner=scope.owner, currency="", reference="", chain="")
        db.add(row)
    return row


async def _call(db: AsyncSession, event: SessionStartedMessage, scope: Scope) -> None:
    row = await call_of(db, event.session, scope)
    row.name, row.source, row.started_at = event.name, event.source, event.at


async def _end(db: AsyncSession, event: SessionEndedMessage) -> None:
    ended_s = seconds_of(event.at)
    said = {"call_s": event.call_s, "face_s": event.face_s, "speech_s": event.speech_s}
    call = {"ended_at": event.at, "is_telephone": event.is_telephone, "mean_llr": dict(event.mean_llr), **said}
    await db.execute(update(CallRow).where(CallRow.session == event.session).values(**call))
    await db.execute(
        update(CaseRow).where(CaseRow.session == event.session).values(ended_at=event.at, ended_s=ended_s, **said)
    )


async def _alert(db: AsyncSession, event: AlertMessage, scope: Scope) -> None:
    row = await db.get(CaseRow, event.id)
    if row is None:
        call = await call_of(db, event.session, scope)
        row = CaseRow(
            alert=event.id,
            session=event.session,
            org=scope.org,
            owner=scope.owner,
            name=call.name or "",
            source=call.source or "",
            raised_at=event.at,
            raised_s=seconds_of(event.at),
            since_s=event.since_s,
            is_telephone=event.is_telephone,
            threshold_nat=event.threshold_nat,
            evidence_nat=0.0,
            amount=call.amount,
            currency=call.currency,
            reference=call.reference,
            text=" ".join((call.name or "", call.reference, event.session, event.id)).lower(),
        )
        db.add(row)
    if event.kind is AlertKind.CLEARED:
        row.cleared_at = event.at
    else:
        row.signals = ",".join(dict.fromkeys(signal.signal for signal in event.signals)) or row.signals or ""
    row.evidence_nat = max(row.evidence_nat, event.evidence_nat)
    coverage = event.coverage
    row.call_s, row.face_s, row.speech_s = coverage.call_s, coverage.face_s, coverage.speech_s
    row.rank = urgency.rank(row.evidence_nat, row.threshold_nat, row.amount)
    row.seq = event.seq


async def _stake(db: AsyncSession, event: StakeMessage) -> None:
    said = {"amount": event.amount, "currency": event.currency, "reference": event.reference}
    await db.execute(update(CallRow).where(CallRow.session == event.session).values(**said))
    for row in await db.scalars(select(CaseRow).where(CaseRow.session == event.session)):
        row.amount, row.currency, row.reference = event.amount, event.currency, event.reference
        row.rank = urgency.rank(row.evidence_nat, row.threshold_nat, row.amount)
        row.text = _with_text(row.text, event.reference)
        row.seq = event.seq


async def _label(db: AsyncSession, event: LabelMessage) -> None:
    row = await _case(db, event.alert)
    row.status = VERDICTS[event.label]
    row.reason, row.decided_by, row.decided_s = event.reason, event.by, seconds_of(event.at)
    row.assignee = row.assignee or event.by
    _touch(row, event.at, event.note or event.reason, event.seq)


async def _deed(db: AsyncSession, event: CaseActionMessage) -> None:
    row = await _case(db, event.alert)
    is_decided = row.status not in (CaseStatus.OPEN, CaseStatus.IN_REVIEW)
    if event.deed in (Deed.CLAIMED, Deed.ASSIGNED, Deed.RELEASED) and is_decided:
        raise ConflictError(f"case {event.alert} is decided ({row.status}); reopen it first")
    if event.deed is Deed.CLAIMED:
        if row.assignee not in ("", event.by):
            raise ConflictError(f"{row.assignee} has case {event.alert} already")
        row.assignee, row.status = event.by, CaseStatus.IN_REVIEW
    elif event.deed is Deed.ASSIGNED:
        row.assignee, row.status = event.to, CaseStatus.IN_REVIEW
    elif event.deed is Deed.RELEASED:
        row.assignee, row.status = "", CaseStatus.OPEN
    elif event.deed is Deed.HANDED_OVER:
        row.is_handed_over = True
    elif event.deed is Deed.REOPENED:
        if not is_decided:
            raise ConflictError(f"case {event.alert} is not decided yet")
        row.status = CaseStatus.IN_REVIEW if row.assignee else CaseStatus.OPEN
        row.reason, row.decided_by, row.decided_s = "", "", None
    _touch(row, event.at, event.note, event.seq)


async def _case(db: AsyncSession, alert: str) -> CaseRow:
    row = await db.get(CaseRow, alert)
    if row is None:
        raise ConflictError(f"alert {alert!r} is not known")
    return row


def _touch(row: CaseRow, at: str, note: str, seq: int) -> None:
    if row.touched_s is None:
        row.touched_s = seconds_of(at)
    if note:
        row.notes += 1
        row.text = _with_text(row.text, note)
    row.seq = seq


def _with_text(text: str, more: str) -> str:
    return f"{text} {more.lower()}"[:MAX_TEXT_CHARS]


async def open_cases(db: AsyncSession) -> int:
    """Return how many cases wait for a decision."""
    waiting = (CaseStatus.OPEN, CaseStatus.IN_REVIEW)
    return await db.scalar(select(func.count()).where(CaseRow.status.in_(waiting))) or 0
