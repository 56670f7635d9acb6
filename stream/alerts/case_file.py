"""A case as a file that stands by itself: everything that is known of an alert, hashed, chained and signed.

    case.json        the case in one object: what the report is made from
    events.jsonl     every event of the call, with its number, the hash of its body and its link, one a line
    evidence/*       pictures, sound, readings, as long as they are kept
    report-*.pdf     the same for people
    manifest.json    SHA-256 of each file, the chain's head, when, by which software, the public key
    manifest.sig     Ed25519 over manifest.json

`stream.alerts.verify` checks it without this service.
"""

import gzip
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any

import numpy as np
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from stream.alerts.chain import GENESIS, canonical
from stream.alerts.media import pixels_of, png_of
from stream.alerts.tables import EventRow, EvidenceRow
from stream.api.case_messages import VERDICTS, CaseActionMessage, CaseMessage, EvidenceKind
from stream.api.explanation_messages import FaceExplanationMessage, VoiceExplanationMessage
from stream.api.messages import AlertMessage, SessionEndedMessage, SessionStartedMessage, StoredMessage
from stream.api.promise_messages import LabelMessage
from stream.api.side_messages import CheckMessage
from stream.overlay import over_face, over_sound

FORMAT = "kua-case-1"
Link = tuple[EventRow, StoredMessage | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContents:
    """What a case file is made of."""

    case: CaseMessage
    organisation: str
    exported_by: str
    links: Sequence[Link]
    """Every event of the call with its row; None where its body was deleted."""
    evidence: Sequence[tuple[EvidenceRow, bytes]]
    settings: Mapping[str, Any]
    """Of the decision and of what is kept."""


def describe(contents: CaseContents, pictures: Mapping[str, bytes], key: str) -> dict[str, Any]:
    """Return the case as one object, for programs and for the report.

    Args:
        contents: Of the case.
        pictures: Of `files_of`, by name.
        key: Fingerprint of the signing key.
    """
    case, events = contents.case, [event for _, event in contents.links if event is not None]
    alerts = [event for event in events if isinstance(event, AlertMessage) and event.id == case.alert]
    raised = alerts[0] if alerts else None
    strongest = max(alerts, key=lambda event: event.evidence_nat, default=None)
    return {
        "case": case.alert,
        "organisation": contents.organisation,
        "software": f"kua {version('kua')}",
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "exported_by": contents.exported_by,
        "call": _call(case, events),
        "alert": {
            "raised_at": case.raised_at,
            "cleared_at": case.cleared_at,
            "since_s": case.since_s,
            "time_s": raised.time_s if raised else case.since_s,
            "evidence_nat": case.evidence_nat,
            "threshold_nat": case.threshold_nat,
            "promise_hours": raised.promise_hours if raised else None,
            "signals": [signal.model_dump(mode="json") for signal in (strongest.signals if strongest else [])],
            "pipeline": [trait.model_dump(mode="json") for trait in (alerts[-1].pipeline if alerts else [])],
            "coverage": alerts[-1].coverage.model_dump(mode="json") if alerts else {},
            "models": raised.models if raised else {},
        },
        "status": case.status,
        "assignee": case.assignee,
        "amount": case.amount,
        "currency": case.currency,
        "reference": case.reference,
        "history": [_deed(event) for event in events if _is_deed(event, case.alert)],
        "settings": dict(contents.settings),
        "timeline": _timeline(contents.evidence),
        "evidence": [_piece(name, content, contents) for name, content in sorted(pictures.items())],
        "chain": {
            "events": len(contents.links),
            "head": contents.links[-1][0].chain if contents.links else GENESIS,
            "key": key,
        },
    }


def files_of(contents: CaseContents) -> dict[str, bytes]:
    """Return the evidence as files, by name: what is kept, and the pictures that are drawn from it."""
    found: dict[str, bytes] = {}
    faces: dict[float | None, bytes] = {}
    for row, content in contents.evidence:
        if row.kind == EvidenceKind.TIMELINE:
            found["evidence/timeline.json"] = gzip.decompress(content)  # the last one is of the whole call
            continue
        stem = f"evidence/{row.kind}-{row.start_s or 0:08.1f}s-{row.id[:6]}"
        found[stem + {"image/jpeg": ".jpg", "audio/wav": ".wav"}.get(row.media_type, ".bin")] = content
        if row.kind == EvidenceKind.FACE:
            faces[row.start_s] = content
    for _, event in contents.links:
        if isinstance(event, FaceExplanationMessage) and event.alert == contents.case.alert and event.time_s in faces:
            drawn = over_face(pixels_of(faces[event.time_s]), np.asarray(event.spoof, np.float32))
            found[f"evidence/face_map-{event.time_s:08.1f}s-{event.seq}.png"] = png_of(drawn)
        elif isinstance(event, VoiceExplanationMessage) and event.alert == contents.case.alert:
            energy_db = np.asarray(event.energy_db, np.float32)
            spoof = np.asarray(np.asarray(event.spoof_percent) / 100, np.float32)
            found[f"evidence/spectrum-{event.start_s:08.1f}s-{event.seq}.png"] = png_of(over_sound(energy_db, spoof))
    return found


def zipped(files: Mapping[str, bytes], head: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """Return a signed case file.

    Args:
        files: All but the manifest, by name.
        head: Of the chain, and whatever else is to be signed.
        key: To sign with.
    """
    hashes = {name: sha256(content).hexdigest() for name, content in sorted(files.items())}
    public = public_hex(key.public_key())
    manifest = canonical({"format": FORMAT, **head, "files": hashes, "public_key": public})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*files.items(), ("manifest.json", manifest), ("manifest.sig", key.sign(manifest))):
            archive.writestr(name, content)
    return out.getvalue()


def events_file(links: Sequence[Link]) -> bytes:
    """Return the events of a call as lines of JSON: with a body, or only with its hash where it was deleted."""
    lines = []
    for row, event in links:
        body = event.model_dump(mode="json", exclude={"seq"}) if event is not None else None
        line = {"seq": row.seq, "type": row.type, "body": body, "body_sha256": row.body_sha256, "link": row.chain}
        lines.append(json.dumps(line, ensure_ascii=False))
    return ("\n".join(lines) + "\n").encode()


def public_hex(key: Ed25519PublicKey) -> str:
    """Return a public key as 64 hex digits."""
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()


def _call(case: CaseMessage, events: Sequence[StoredMessage]) -> dict[str, Any]:
    started = next((event for event in events if isinstance(event, SessionStartedMessage)), None)
    ended = next((event for event in events if isinstance(event, SessionEndedMessage)), None)
    return {
        "session": case.session,
        "name": case.name,
        "source": case.source,
        "started_at": started.at if started else case.raised_at,
        "ended_at": ended.at if ended else None,
        "is_telephone": case.is_telephone,
    }


def _is_deed(event: StoredMessage, alert: str) -> bool:
    return isinstance(event, CheckMessage) or (
        isinstance(event, CaseActionMessage | LabelMessage) and event.alert == alert
    )


def _deed(event: StoredMessage) -> dict[str, str]:
    if isinstance(event, CheckMessage):
        effect = f"{event.before_nat:.1f} -> {event.after_nat:.1f} nat"
        return {"at": event.at, "by": event.by, "what": f"check_{event.outcome}", "reason": event.kind, "note": effect}
    if isinstance(event, LabelMessage):
        what, reason = VERDICTS[event.label].value, event.reason
    else:
        assert isinstance(event, CaseActionMessage)
        what, reason = event.deed.value, event.to
    return {"at": event.at, "by": event.by, "what": what, "reason": reason, "note": event.note}


def _timeline(evidence: Sequence[tuple[EvidenceRow, bytes]]) -> list[dict[str, Any]]:
    packed = [content for row, content in evidence if row.kind == EvidenceKind.TIMELINE]
    readings = json.loads(gzip.decompress(packed[-1])) if packed else []
    return [
        {
            **{name: reading[name] for name in ("time_s", "state", "evidence_nat", "threshold_nat")},
            "face_llr": _llr(reading, "face"),
            "voice_llr": _llr(reading, "voice"),
        }
        for reading in readings
    ]


def _llr(reading: Mapping[str, Any], signal: str) -> float | None:
    """Return the most suspicious of a signal's tracks."""
    llrs = [s["llr"] for s in reading["signals"] if s["signal"] == signal and s["llr"] is not None]
    return min(llrs, default=None)


def _piece(name: str, content: bytes, contents: CaseContents) -> dict[str, Any]:
    kind = name.removeprefix("evidence/").split("-")[0].split(".")[0]
    own = [row for row, _ in contents.evidence if row.id[:6] in name]
    return {
        "file": name,
        "kind": kind,
        "sha256": sha256(content).hexdigest(),
        "start_s": own[0].start_s if own else None,
        "end_s": own[0].end_s if own else None,
    }
