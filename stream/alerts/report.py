"""The readable report of a case: values in, a PDF out. Blocking.

What people wrote goes to the typesetter as data in a file, never as markup, so that no name or note can do anything
but be shown.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from models.traits import Trait
from stream.alerts.report_texts import EN, Language, Texts
from stream.alerts.report_texts_kk import KK
from stream.alerts.report_texts_ru import RU

TEXTS: dict[Language, Texts] = {"kk": KK, "ru": RU, "en": EN}
LANGUAGES: tuple[Language, ...] = ("kk", "ru", "en")
TEMPLATE = Path(__file__).with_name("report.typ")
SHOWN = ("face", "face_map", "spectrum")
MAX_PICTURES = 8
"""The rest is in the case file."""
LEAST_MISSED_S = 0.5
PLOT = (720.0, 190.0)
"""Width and height of the drawn curve, in its own units."""
MAX_POINTS = 720
"""Of the curve: more than that cannot be seen; the highest reading of each stretch stands for it."""


def render(case: Mapping[str, Any], language: Language, pictures: Mapping[str, bytes]) -> bytes:
    """Return the report of a case as PDF.

    Args:
        case: As `stream.alerts.case_file.describe` makes it.
        language: Of the report.
        pictures: Evidence by file name; of it PNG and JPEG are shown.

    Source: the fonts are those that typst carries; Libertinus Serif has the letters of Kazakh.
    """
    texts = TEXTS[language]
    shown = _pictures(case, texts, pictures)
    with tempfile.TemporaryDirectory(prefix="kua-report-") as name:
        folder = Path(name)
        for picture in shown:
            (folder / picture["file"]).write_bytes(pictures[picture["name"]])
        plot = _plot(case["timeline"])
        if plot:
            (folder / "plot.svg").write_text(plot)
        data = _data(case, language, texts) | {"pictures": shown, "plot": "plot.svg" if plot else None}
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False))
        shutil.copyfile(TEMPLATE, folder / "report.typ")
        return typst.compile(str(folder / "report.typ"), root=name, ignore_system_fonts=True, font_paths=[])


def _data(case: Mapping[str, Any], language: Language, t: Texts) -> dict[str, Any]:
    alert, coverage, chain = case["alert"], case["alert"]["coverage"] or {}, case["chain"]
    evidence = {"evidence": _number(alert["evidence_nat"]), "threshold": _number(alert["threshold_nat"])}
    seconds = {n: _seconds(coverage.get(f"{n}_s", 0.0), t) for n in ("face", "speech", "call")}
    said = {"by": case["exported_by"], "at": _utc(case["exported_at"]), "software": case["software"]}
    models = [[t["signal"].get(name, name), digest] for name, digest in sorted(alert["models"].items())]
    files = [[piece["file"].removeprefix("evidence/"), piece["sha256"]] for piece in case["evidence"]]
    settings = [[name, json.dumps(value)] for name, value in case["settings"].items()]
    return {
        "language": language,
        **{n: t[n] for n in ("title", "estimate", "page", "status_title", "why", "columns", "analysed", "hint")},
        **{n: t[n] for n in ("plot_help", "no_pictures", "no_history", "annex")},
        "plot_title": t["plot"],
        "pictures_title": t["pictures"],
        "history_title": t["history"],
        "case_id": f"{t['case']} {case['case']}",
        "status": t["status"][case["status"]],
        "facts": _facts(case, t),
        "why_text": t["why_text"].format(**evidence, since=_position(alert["since_s"])),
        "signals": [_signal(signal, t) for signal in alert["signals"]],
        "traits": [_trait(trait, t) for trait in alert.get("pipeline", ())],
        "analysed_text": t["analysed_text"].format(**seconds),
        "missed": _missed(coverage, t),
        "history": [_deed(deed, t) for deed in case["history"]],
        "lines": [
            *_terms(case, t),
            t["chain_text"].format(events=chain["events"], head=chain["head"], key=chain["key"]),
            t["verify"],
            t["exported"].format(**said),
        ],
        "tables": [[t["models"], models], [t["settings"], settings], [t["files"], files]],
    }


def _facts(case: Mapping[str, Any], t: Texts) -> list[list[str]]:
    call, alert = case["call"], case["alert"]
    source = t["source"].get(call["source"], call["source"])
    amount = f"{case['amount']:,.2f} {case['currency']}".replace(",", "\u202f") if case["amount"] is not None else ""
    facts = [
        [t["case"], case["case"]],
        [t["call"], " · ".join(filter(None, (call["name"] or t["unnamed"], source, call["session"])))],
        [t["began"], _utc(call["started_at"])],
        [t["raised"], _utc(alert["raised_at"])],
        [t["cleared"], _utc(alert["cleared_at"]) or t["not_cleared"]],
        [t["ended"], _utc(call["ended_at"])],
        [t["assignee"], case["assignee"]],
        [t["at_risk"], amount],
        [t["reference"], case["reference"]],
    ]
    return [[name, value] for name, value in facts if value]


def _signal(signal: Mapping[str, Any], t: Texts) -> list[str]:
    name = t["signal"].get(signal["signal"], signal["signal"])
    seconds = _seconds(signal["analysed_s"], t)
    return [name, f"{100 * signal['share']:.0f} %", _number(signal["evidence_nat"]), seconds]


def _trait(trait: Mapping[str, Any], t: Texts) -> str:
    return t["trait"][trait["trait"]].format(value=_trait_value(trait["trait"], trait["value"]))


def _trait_value(trait: str, value: float) -> str:
    """Return a value as the texts have it: shares in percent, clocks in whole millionths."""
    if trait in (Trait.REPEATED, Trait.STILL, Trait.DIGITAL_ZERO):
        return f"{100 * value:.0f}"
    return f"{value:.0f}" if trait in (Trait.CLOCK_RATE, Trait.CLOCKS_APART) else _number(value)


def _missed(coverage: Mapping[str, Any], t: Texts) -> list[str]:
    found = [
        (s, text.format(s=_seconds(s, t), reason=t["reason"].get(why, why)))
        for name, text in (("face_missed_s", t["missed_face"]), ("speech_missed_s", t["missed_speech"]))
        for why, s in coverage.get(name, {}).items()
        if s >= LEAST_MISSED_S
    ]
    return [line for _, line in sorted(found, reverse=True)]


def _deed(deed: Mapping[str, str], t: Texts) -> dict[str, str]:
    what = t["what"].get(deed["what"], deed["what"])
    if deed["reason"]:  # of an assignment: to whom
        what += f" {deed['reason']}" if deed["what"] == "assigned" else f" ({deed['reason']})"
    return {"at": _utc(deed["at"]), "by": deed["by"], "what": what, "note": deed["note"]}


def _terms(case: Mapping[str, Any], t: Texts) -> list[str]:
    alert, channel = case["alert"], t["telephone" if case["call"]["is_telephone"] else "wideband"]
    line = t["threshold"].format(threshold=_number(alert["threshold_nat"]), channel=channel)
    hours = alert["promise_hours"]
    return [line, *([t["promise"].format(hours=f"{hours:g}")] if hours else [])]


def _pictures(case: Mapping[str, Any], t: Texts, pictures: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return what is shown of the evidence, in the order of the call."""
    shown = [p for p in case["evidence"] if p["kind"] in SHOWN and p["file"] in pictures]
    shown.sort(key=lambda piece: _at_s(piece))
    return [
        {
            "name": piece["file"],
            "file": f"{i}{Path(piece['file']).suffix}",
            "wide": piece["kind"] == "spectrum",
            "caption": t["picture"][piece["kind"]],
            "at": t["picture_at"].format(at=_position(_at_s(piece))),
        }
        for i, piece in enumerate(shown[:MAX_PICTURES])
    ]


def _at_s(piece: Mapping[str, Any]) -> float:
    """Return when in the call a piece is of: its own start, or that of its name."""
    if piece["start_s"] is not None:
        return float(piece["start_s"])
    try:
        return float(piece["file"].split("-")[1].removesuffix("s"))
    except (IndexError, ValueError):
        return 0.0


def _plot(timeline: Sequence[Mapping[str, Any]]) -> str:
    """Return the evidence over the call as SVG, made of numbers alone; empty without readings."""
    if len(timeline) < 2:
        return ""
    width, height = PLOT
    step = -(-len(timeline) // MAX_POINTS)
    kept = [max(timeline[i : i + step], key=lambda r: r["evidence_nat"]) for i in range(0, len(timeline), step)]
    first_s, last_s = float(timeline[0]["time_s"]), float(timeline[-1]["time_s"])
    top: float = 1.15 * max(*(r["evidence_nat"] for r in kept), *(r["threshold_nat"] for r in kept), 0.1)

    def x(time_s: float) -> float:
        return 40 + (width - 50) * (time_s - first_s) / max(last_s - first_s, 0.1)

    def y(nat: float) -> float:
        return height - 22 - (height - 32) * nat / top

    curve = " ".join(f"{x(r['time_s']):.1f},{y(r['evidence_nat']):.1f}" for r in kept)
    line = " ".join(f"{x(r['time_s']):.1f},{y(r['threshold_nat']):.1f}" for r in kept)
    wide = (width - 50) / len(kept) + 0.5
    spans = "".join(
        f'<rect x="{x(r["time_s"]) - wide:.1f}" y="8" width="{wide:.1f}" height="{height - 30:.1f}" fill="#fde4df"/>'
        for r in kept
        if r["state"] == "spoof"
    )
    ticks = "".join(
        f'<text x="{x(s):.1f}" y="{height - 6:.1f}" font-size="10" text-anchor="middle">{_position(s)}</text>'
        for s in (first_s, (first_s + last_s) / 2, last_s)
    )
    levels = "".join(
        f'<text x="34" y="{y(nat) + 3:.1f}" font-size="10" text-anchor="end">{nat:.1f}</text>'
        for nat in (0.0, top / 1.15)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" font-family="Libertinus Serif">'
        f'{spans}<path d="M40 8V{height - 22:g}H{width - 10:g}" fill="none" stroke="#888" stroke-width="0.8"/>'
        f'<polyline points="{line}" fill="none" stroke="#a91d16" stroke-width="1" stroke-dasharray="5 4"/>'
        f'<polyline points="{curve}" fill="none" stroke="#0d5660" stroke-width="1.6"/>{ticks}{levels}</svg>'
    )


def _utc(iso: str | None) -> str:
    return datetime.fromisoformat(iso).strftime("%d.%m.%Y %H:%M:%S UTC") if iso else ""


def _position(seconds: float) -> str:
    whole = max(int(seconds), 0)
    return (
        f"{whole // 60}:{whole % 60:02}" if whole < 3600 else f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    )


def _seconds(seconds: float, t: Texts) -> str:
    return f"{seconds:.0f} {t['s']}" if seconds < 7200 else f"{seconds / 3600:.1f} {t['h']}"


def _number(value: float) -> str:
    return f"{value:.1f}"
