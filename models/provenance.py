"""Content credentials of a file (C2PA): who signed what of it, and whether that still holds. Facts, not estimates.

Offline: nothing is fetched, so a manifest that lies elsewhere counts as absent, and a signer is not looked up in a list
of trusted ones. "Intact" therefore says that the file is as it was signed, by whoever holds that certificate.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

GENERATED = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")
"""Of IPTC's digital source types, those that say that a machine made it, or a part of it."""
SETTINGS = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False}}
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"ID3": "audio/mpeg",
}
_EXPIRED = "signingCredential.expired"
_UNTRUSTED = "signingCredential.untrusted"


class CredentialsState(StrEnum):
    """How the content credentials of a file stand."""

    ABSENT = "absent"
    INTACT = "intact"
    EXPIRED = "expired"
    """As signed, but when its certificate was not valid."""
    CHANGED = "changed"
    """The file or its manifest is not as it was signed."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the content credentials of a file say."""

    state: CredentialsState
    signer: str = ""
    """Of the certificate."""
    generator: str = ""
    """The program that made the claim."""
    signed_at: str = ""
    is_generated: bool = False
    """Whether they say that a machine made it, or a part of it."""
    actions: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """The standard's codes of what does not hold."""


def read_credentials(path: Path) -> Credentials:
    """Return what the content credentials of a file say. Parses hostile input in a native library: sandbox it.

    Source: C2PA 2.1 sections 15 (validation) and 18 (assertions); IPTC NewsCodes digitalsourcetype.
    """
    import c2pa

    with path.open("rb") as file:
        kind = media_type_of(file.read(16))
        file.seek(0)
        if kind is None:
            return Credentials(state=CredentialsState.ABSENT)
        try:
            context = c2pa.Context(settings=c2pa.Settings.from_dict(SETTINGS))
            with c2pa.Reader(kind, file, context=context) as reader:
                return _said(json.loads(reader.json()))
        except (c2pa.C2paError, ValueError) as exc:
            is_absent = "ManifestNotFound" in str(exc)
            return Credentials(state=CredentialsState.ABSENT if is_absent else CredentialsState.UNREADABLE)


def media_type_of(head: bytes) -> str | None:
    """Return what a file is by its first 16 bytes, whatever it is called; None for what cannot carry credentials."""
    if head[4:8] == b"ftyp":
        return "image/avif" if head[8:12] in (b"avif", b"avis") else "video/mp4"
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/avi"}.get(head[8:12])
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def _said(store: Mapping[str, Any]) -> Credentials:
    manifest = store.get("manifests", {}).get(store.get("active_manifest", ""), {})
    problems = tuple(sorted({one["code"] for one in store.get("validation_status", ())} - {_UNTRUSTED}))
    signature = manifest.get("signature_info", {})
    actions = [action for assertion in manifest.get("assertions", ()) for action in _actions(assertion)]
    makers = manifest.get("claim_generator_info") or [{}]
    maker = " ".join(str(makers[0].get(part, "")) for part in ("name", "version")).strip()
    return Credentials(
        state=_state(problems),
        signer=" / ".join(filter(None, (signature.get("common_name"), signature.get("issuer")))),
        generator=maker or manifest.get("claim_generator", ""),
        signed_at=signature.get("time") or "",
        is_generated=any(str(action.get("digitalSourceType", "")).endswith(GENERATED) for action in actions),
        actions=tuple(dict.fromkeys(str(action.get("action", "")) for action in actions)),
        problems=problems,
    )


def _state(problems: tuple[str, ...]) -> CredentialsState:
    if not problems:
        return CredentialsState.INTACT
    return CredentialsState.EXPIRED if set(problems) == {_EXPIRED} else CredentialsState.CHANGED


def _actions(assertion: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if not str(assertion.get("label", "")).startswith("c2pa.actions"):
        return []
    return list(assertion.get("data", {}).get("actions", ()))
