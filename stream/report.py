"""A clip's verdict in words for a terminal, and as JSON for a program."""

from collections.abc import Iterator
from dataclasses import asdict

from rich.markup import escape

from models.explanation import FaceExplanation, VoiceExplanation
from models.provenance import CredentialsState
from models.window import Signal
from stream.api.clip_messages import CredentialsMessage
from stream.check_words import EN, CheckWords
from stream.clip import ClipReport, ExplainedWindow
from stream.events import SignalReading, State

_INTACT = {True: "generated", False: "signed"}
STYLES = {State.UNDECIDED: "white", State.BONA_FIDE: "green", State.SUSPECT: "yellow", State.SPOOF: "bold red"}


def lines(report: ClipReport, words: CheckWords = EN, facts: CredentialsMessage | None = None) -> Iterator[str]:
    """Yield the verdict as rich markup, a headline first; what the file says of itself comes last, as a fact."""
    verdict = report.verdict
    yield f"[{STYLES[verdict.state]}]{words.headlines[verdict.state]}[/]  {escape(report.path.name)}"
    if verdict.state is State.UNDECIDED:
        reason = words.reasons[verdict.reason] if verdict.reason else words.too_short
        yield f"  {words.why.format(reason=reason)}"
    if verdict.first_alert_s is not None:
        yield f"  {words.first_alert.format(at=verdict.first_alert_s, stood=verdict.spoof_s)}"
    for reading in verdict.decision.readings:
        yield f"  {_reading(reading, words)}"
    if voice := report.explained.get(Signal.VOICE):
        yield from _most_suspicious(voice, words)
    coverage = verdict.decision.coverage
    seconds = {"face": coverage.face_s, "speech": coverage.speech_s, "call": coverage.call_s}
    yield f"  {words.analysed.format(**seconds, took=report.processing_s)}"
    if report.is_truncated:
        yield f"  {words.damaged}"
    if facts is not None:
        name = facts.state.value if facts.state is not CredentialsState.INTACT else _INTACT[facts.is_generated]
        yield f"  {escape(words.facts[name].format(signer=facts.signer or '?'))}"


def as_json(report: ClipReport, models: dict[str, str], facts: CredentialsMessage | None = None) -> dict[str, object]:
    """Return the verdict for `--json`; numbers as they were, nothing rounded."""
    verdict, coverage = report.verdict, report.verdict.decision.coverage
    return {
        "file": str(report.path),
        "state": verdict.state,
        "reason": verdict.reason,
        "first_alert_s": verdict.first_alert_s,
        "spoof_s": verdict.spoof_s,
        "coverage": asdict(coverage),
        "signals": [_signal(report, signal) for signal in Signal],
        "explanation": _face_explanation(report.explained.get(Signal.FACE)),
        "voice_explanation": _voice_explanation(report.explained.get(Signal.VOICE)),
        "evidence_nat": verdict.decision.evidence_nat,
        "threshold_nat": verdict.decision.threshold_nat,
        "models": models,
        "truncated": report.is_truncated,
        "credentials": facts.model_dump(mode="json") if facts else None,
        "processing_s": report.processing_s,
    }


def _signal(report: ClipReport, signal: Signal) -> dict[str, object]:
    readings = [r for d in report.decisions for r in d.readings if r.signal is signal]
    llrs = [r.llr for r in readings if r.llr is not None]
    return {
        "signal": signal,
        "windows": len(readings),
        "mean_llr": sum(llrs) / len(llrs) if llrs else None,
        "min_llr": min(llrs, default=None),
        "max_evidence_nat": max((r.evidence_nat for r in readings), default=0.0),
        "reason": None if llrs else next((r.reason for r in reversed(readings)), None),
        "long_s": readings[-1].long_s if readings else None,
        "long_llr": readings[-1].long_llr if readings else None,
    }


def _face_explanation(explained: ExplainedWindow | None) -> dict[str, object] | None:
    if explained is None or not isinstance(explained.explanation, FaceExplanation):
        return None
    window, explanation = explained.window, explained.explanation
    return {
        "start_s": window.start_s,
        "end_s": window.end_s,
        "time_s": explanation.crop.time_s,
        "track": window.track,
        "spoof": explanation.spoof.tolist(),
    }


def _voice_explanation(explained: ExplainedWindow | None) -> dict[str, object] | None:
    if explained is None or not isinstance(explained.explanation, VoiceExplanation):
        return None
    window, explanation = explained.window, explained.explanation
    return {
        "start_s": window.start_s,
        "end_s": window.end_s,
        "stretches_s": explanation.stretches_s,
        "band_hz": explanation.band_hz,
        "top_hz": explanation.top_hz,
        "energy_db": explanation.energy_db.tolist(),
        "spoof": explanation.spoof.tolist(),
    }


def _most_suspicious(explained: ExplainedWindow, words: CheckWords) -> Iterator[str]:
    explanation = explained.explanation
    if isinstance(explanation, VoiceExplanation) and explanation.band_hz is not None:
        stretches = (words.stretch.format(start=start_s, end=end_s) for start_s, end_s in explanation.stretches_s)
        low, high = (edge_hz / 1000 for edge_hz in explanation.band_hz)
        yield f"  {words.most_suspicious.format(times=words.joined.join(stretches), low=low, high=high)}"


def _reading(reading: SignalReading, words: CheckWords) -> str:
    name = words.signals[reading.signal] + (f" {reading.track}" if reading.track else "")
    if reading.analysed_s == 0:
        reason = words.reasons[reading.reason] if reading.reason else words.too_short
        return words.not_judged.format(name=name, reason=reason)
    said = (words.sync if reading.signal is Signal.SYNC else words.headlines)[reading.state].lower()
    long = "" if reading.long_llr is None else words.long.format(seconds=reading.long_s, llr=reading.long_llr)
    return words.reading.format(name=name, words=said, nat=reading.evidence_nat, seconds=reading.analysed_s, long=long)
