"""What is said of a file, in words for a terminal and as JSON for a program: facts and the estimate apart."""

from collections.abc import Iterator
from dataclasses import asdict

from rich.markup import escape

from models.explanation import FaceExplanation, VoiceExplanation
from models.provenance import CredentialsState
from models.window import Signal
from stream.check_words import EN, CheckWords
from stream.clip import ClipReport, ExplainedWindow
from stream.events import SignalReading, State
from stream.forwarded.examine import Examination

OF_CLIPS = (Signal.FACE, Signal.VOICE, Signal.SYNC)
"""Nobody in a clip can be asked to do something."""
_INTACT = {True: "generated", False: "signed"}
STYLES = {State.UNDECIDED: "white", State.BONA_FIDE: "green", State.SUSPECT: "yellow", State.SPOOF: "bold red"}


def lines(found: Examination, words: CheckWords = EN) -> Iterator[str]:
    """Yield what is said of a file as rich markup: a headline, the detector's estimate, then facts about the file."""
    headline = words.still if found.is_still and found.state is State.UNDECIDED else words.headlines[found.state]
    yield f"[{STYLES[found.state]}]{headline}[/]  {escape(found.path.name)}"
    if found.report is not None:
        yield from _estimate(found.report, words)
    if found.is_truncated:
        yield f"  {words.damaged}"
    for mark in found.marks:
        yield f"  {words.mark.format(generator=mark.generator, pictures=mark.pictures, of=mark.of)}"
    if found.invisible_mark:
        yield f"  {words.invisible_mark.format(generator=found.invisible_mark)}"
    for trace in found.traces:
        yield f"  {escape(words.traces[trace.kind].format(text=trace.text))}"
    if (facts := found.credentials) is not None:
        name = facts.state.value if facts.state is not CredentialsState.INTACT else _INTACT[facts.is_generated]
        yield f"  {escape(words.facts[name].format(signer=facts.signer or '?'))}"


def _estimate(report: ClipReport, words: CheckWords) -> Iterator[str]:
    verdict = report.verdict
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


def as_json(found: Examination, models: dict[str, str]) -> dict[str, object]:
    """Return what is said for `--json`; numbers as they were, nothing rounded. Of a single picture facts alone."""
    facts = {
        "file": str(found.path),
        "state": found.state,
        "still": found.is_still,
        "truncated": found.is_truncated,
        "credentials": found.credentials.model_dump(mode="json") if found.credentials else None,
        "marks": [asdict(mark) | {"jumps": mark.jumps} for mark in found.marks],
        "invisible_mark": found.invisible_mark,
        "traces": [trace.model_dump(mode="json") for trace in found.traces],
        "models": models,
    }
    return facts if found.report is None else facts | _estimate_as_json(found.report)


def _estimate_as_json(report: ClipReport) -> dict[str, object]:
    verdict, coverage = report.verdict, report.verdict.decision.coverage
    return {
        "estimate": verdict.state,
        "reason": verdict.reason,
        "first_alert_s": verdict.first_alert_s,
        "spoof_s": verdict.spoof_s,
        "coverage": asdict(coverage),
        "signals": [_signal(report, signal) for signal in OF_CLIPS],
        "explanation": _face_explanation(report.explained.get(Signal.FACE)),
        "voice_explanation": _voice_explanation(report.explained.get(Signal.VOICE)),
        "evidence_nat": verdict.decision.evidence_nat,
        "threshold_nat": verdict.decision.threshold_nat,
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
