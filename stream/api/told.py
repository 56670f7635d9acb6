"""What is told of calls, as messages: values in, messages out."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from statistics import fmean

from models.challenge import ChallengeKind
from models.light_plan import COLOURS, STEP_S
from models.window import Signal
from stream.api.admin_messages import LightMessage
from stream.api.messages import (
    AlertMessage,
    CoverageMessage,
    DroppedMessage,
    SessionEndedMessage,
    SignalMessage,
    StoredMessage,
    VerdictMessage,
)
from stream.api.side_messages import AskedMessage, CheckMessage, FacePlaceMessage, ResemblanceMessage, TraitMessage
from stream.checks.challenges import Asked, Result, instead
from stream.events import Alert, Coverage, Decision, State
from stream.session import Session

ADVICE = "verify_identity"


def verdict_message(session: Session, decision: Decision) -> VerdictMessage:
    """Return the live reading of a call."""
    return VerdictMessage(
        session=session.id,
        time_s=decision.time_s,
        state=decision.state,
        reason=decision.reason,
        signals=[SignalMessage.model_validate(reading) for reading in decision.readings],
        coverage=CoverageMessage.model_validate(decision.coverage),
        dropped=DroppedMessage.model_validate(session.dropped),
        evidence_nat=decision.evidence_nat,
        threshold_nat=decision.threshold_nat,
        compared_with=session.other.compared_with if decision.likeness else "",
        likeness=[ResemblanceMessage.model_validate(one) for one in decision.likeness],
    )


def live_message(session: Session, decision: Decision) -> VerdictMessage:
    """Return the newest reading of a running call, with what only its moment needs."""
    faces = [FacePlaceMessage.model_validate(face) for face in session.other.faces]
    made = [TraitMessage.model_validate(reading) for reading in decision.pipeline]
    return verdict_message(session, decision).model_copy(update={"faces": faces, "pipeline": made})


def alert_message(alert: Alert, promise_hours: float, models: dict[str, str]) -> AlertMessage:
    """Return a change of an alert, not yet numbered.

    Args:
        alert: The change.
        promise_hours: What its threshold keeps [h].
        models: Digests of what took part.
    """
    decision = alert.decision
    strongest = sorted(decision.readings, key=lambda reading: -reading.evidence_nat)
    return AlertMessage(
        seq=0,
        id=alert.id,
        kind=alert.kind,
        session=alert.session,
        at=datetime.now(UTC).isoformat(),
        since_s=alert.since_s,
        time_s=alert.time_s,
        signals=[SignalMessage.model_validate(r) for r in strongest if r.evidence_nat > 0],
        coverage=CoverageMessage.model_validate(decision.coverage),
        evidence_nat=decision.evidence_nat,
        threshold_nat=decision.threshold_nat,
        is_telephone=decision.is_telephone,
        promise_hours=promise_hours,
        pipeline=[TraitMessage.model_validate(reading) for reading in decision.pipeline if reading.is_unusual],
        models=models,
        advice=ADVICE,
    )


def ended(
    session: str, cause: str, said: Decision | None, readings: Iterable[Decision] = ()
) -> Callable[[int], StoredMessage]:
    """Build the end of a call.

    Args:
        session: Its id.
        cause: Why it ended.
        said: The last thing said of it; None if nothing ever was, or if that was lost.
        readings: What was said of it before.
    """
    llrs: dict[Signal, list[float]] = {}
    for decision in readings:
        for reading in decision.readings:
            if reading.llr is not None:
                llrs.setdefault(reading.signal, []).append(reading.llr)
    mean_llr = {signal: round(fmean(values), 4) for signal, values in llrs.items()}
    at, coverage = datetime.now(UTC).isoformat(), said.coverage if said else Coverage()
    return lambda seq: SessionEndedMessage(
        seq=seq,
        session=session,
        at=at,
        cause=cause,
        state=said.state if said else State.UNDECIDED,
        call_s=coverage.call_s,
        face_s=coverage.face_s,
        speech_s=coverage.speech_s,
        face_missed_s=dict(coverage.face_missed_s),
        speech_missed_s=dict(coverage.speech_missed_s),
        signals=[SignalMessage.model_validate(reading) for reading in said.readings] if said else [],
        is_telephone=said.is_telephone if said else False,
        mean_llr=mean_llr,
        pipeline=[TraitMessage.model_validate(reading) for reading in said.pipeline] if said else [],
    )


def asked_message(asked: Asked) -> AskedMessage:
    """Return a check that was begun."""
    challenge = asked.challenge
    return AskedMessage(
        id=asked.id,
        kind=challenge.kind,
        steps=list(challenge.steps),
        code=challenge.code,
        asked_s=asked.asked_s,
        seconds=challenge.seconds,
        instead=instead(challenge.kind),
    )


def light_message(asked: Asked | None) -> LightMessage | None:
    """Return what the other side's page is to show; None if nothing."""
    if asked is None or asked.challenge.kind is not ChallengeKind.LIGHT:
        return None
    colours = ["#{:02x}{:02x}{:02x}".format(*COLOURS[int(i)]) for i in asked.challenge.code]
    return LightMessage(id=asked.id, colours=colours, step_s=STEP_S)


def check_message(session: str, result: Result) -> CheckMessage:
    """Return what came of a check, not yet numbered."""
    asked, found = result.asked, result.judgement
    start_s, end_s = found.span_s or (None, None)
    return CheckMessage(
        seq=0,
        session=session,
        at=datetime.now(UTC).isoformat(),
        by=asked.by,
        id=asked.id,
        kind=asked.challenge.kind,
        steps=list(asked.challenge.steps),
        code=asked.challenge.code,
        asked_s=asked.asked_s,
        outcome=found.outcome,
        seen=list(found.steps),
        latency_s=found.latency_s,
        start_s=start_s,
        end_s=end_s,
        llr=found.llr,
        before_nat=result.before_nat,
        after_nat=result.after_nat,
    )
