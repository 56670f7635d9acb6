"""A clip's verdict in words for a terminal, and as JSON for a program."""

from collections.abc import Iterator
from dataclasses import asdict

from models.explanation import FaceExplanation, VoiceExplanation
from models.window import Reason, Signal
from stream.clip import ClipReport, ExplainedWindow
from stream.events import SignalReading, State

HEADLINES = {
    State.UNDECIDED: "CANNOT JUDGE",
    State.BONA_FIDE: "NO SIGN OF MANIPULATION",
    State.SUSPECT: "SOMETHING IS OFF",
    State.SPOOF: "MACHINE-MADE FACE OR VOICE LIKELY",
}
SYNC_HEADLINES = {
    State.UNDECIDED: "no clear match",
    State.BONA_FIDE: "they fit",
    State.SUSPECT: "they do not fit",
    State.SPOOF: "they do not fit",
}
STYLES = {State.UNDECIDED: "white", State.BONA_FIDE: "green", State.SUSPECT: "yellow", State.SPOOF: "bold red"}
NAMES = {Signal.FACE: "face", Signal.VOICE: "voice", Signal.SYNC: "lips and voice"}
REASONS = {
    Reason.NO_FACE: "no face is to be seen",
    Reason.SMALL_FACE: "the face is too small",
    Reason.BLURRED: "the picture is too blurred",
    Reason.POSE: "the face is turned away",
    Reason.EXPOSURE: "the face is too dark or burnt out",
    Reason.OCCLUDED: "something covers the face",
    Reason.NO_MOUTH: "the mouth is hidden or does not move",
    Reason.SILENCE: "nobody speaks",
    Reason.NOISE: "the sound is too noisy",
    Reason.BAND_LIMITED: "the sound is too narrow",
    Reason.CLIPPED: "the sound is overdriven",
    Reason.MUSIC: "music or tones are played",
    Reason.LOST: "there is no picture or sound to judge",
    Reason.OVERLOAD: "this machine could not keep up",
    Reason.ERROR: "the detector failed",
}


def lines(report: ClipReport) -> Iterator[str]:
    """Yield the verdict as rich markup, a headline first."""
    verdict = report.verdict
    yield f"[{STYLES[verdict.state]}]{HEADLINES[verdict.state]}[/]  {report.path.name}"
    if verdict.state is State.UNDECIDED:
        reason = REASONS[verdict.reason] if verdict.reason else "the clip is too short"
        yield f"  why: {reason}"
    if verdict.first_alert_s is not None:
        yield f"  first alert at {verdict.first_alert_s:.1f} s; it stood for {verdict.spoof_s:.1f} s"
    for reading in verdict.decision.readings:
        yield f"  {_reading(reading)}"
    if voice := report.explained.get(Signal.VOICE):
        yield from _most_suspicious(voice)
    coverage = verdict.decision.coverage
    yield (
        f"  analysed {coverage.face_s:.1f} s of face and {coverage.speech_s:.1f} s of speech "
        f"of {coverage.call_s:.1f} s, in {report.processing_s:.1f} s"
    )
    if report.is_truncated:
        yield "  the file is damaged: it ends before it says it does"


def as_json(report: ClipReport, models: dict[str, str]) -> dict[str, object]:
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


def _most_suspicious(explained: ExplainedWindow) -> Iterator[str]:
    explanation = explained.explanation
    if isinstance(explanation, VoiceExplanation) and explanation.band_hz is not None:
        times = " and ".join(f"{start_s:.1f}-{end_s:.1f} s" for start_s, end_s in explanation.stretches_s)
        low, high = (edge_hz / 1000 for edge_hz in explanation.band_hz)
        yield f"  most suspicious in the voice's first alerted window: {times}, {low:.1f} to {high:.1f} kHz"


def _reading(reading: SignalReading) -> str:
    name = NAMES[reading.signal] + (f" {reading.track}" if reading.track else "")
    if reading.analysed_s == 0:
        return f"{name}: not judged, {REASONS[reading.reason] if reading.reason else 'too short'}"
    words = SYNC_HEADLINES if reading.signal is Signal.SYNC else HEADLINES
    long = "" if reading.long_llr is None else f", last {reading.long_s} s of speech {reading.long_llr:+.1f} nat"
    return (
        f"{name}: {words[reading.state].lower()}, evidence {reading.evidence_nat:.1f} nat, "
        f"{reading.analysed_s:.1f} s analysed{long}"
    )
