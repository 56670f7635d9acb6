"""Checks a case file offline: nothing of the service, its database or a network is needed.

What it shows: no file was changed, the events of the call are complete and in order, and whoever holds the private key
signed all of it. What it cannot show: that the key is the operator's; compare its fingerprint with the one that they
publish.
"""

import json
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from stream.alerts.chain import GENESIS, body_sha256, broken
from stream.errors import KuaError

FORMAT = "kua-case-1"
MAX_FILE_BYTES = 200_000_000
"""A file that unpacks to more is no case file of ours."""


class CaseFileError(KuaError):
    """A case file that is broken, incomplete, or was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found of a case file that holds."""

    case: str
    organisation: str
    public_key: str
    """64 hex digits; its fingerprint is what operators publish."""
    events: int
    deleted: int
    """Events whose body was deleted; their links still hold."""
    files: int
    exported_at: str
    head: str

    @property
    def fingerprint(self) -> str:
        """Of the public key, in groups of four."""
        return fingerprint(self.public_key)


def fingerprint(public_key: str) -> str:
    """Return the fingerprint of a public key given in hex: 32 hex digits in groups of four."""
    digest = sha256(bytes.fromhex(public_key)).hexdigest()[:32]
    return " ".join(digest[i : i + 4] for i in range(0, 32, 4))


def verify(path: Path, *, key: str = "") -> Verified:
    """Check a case file.

    Args:
        path: CASE.zip.
        key: Public key or fingerprint that must have signed it; empty: any.

    Raises:
        CaseFileError: It does not hold; the text says where.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = {info.filename: _read(archive, info) for info in archive.infolist()}
            if len(files) < len(archive.infolist()):
                raise CaseFileError(f"{path}: two files have the same name")
    except (OSError, zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError) as exc:
        raise CaseFileError(f"{path} cannot be read as a case file: {exc}") from exc
    try:
        return _verified(files, key)
    except CaseFileError as exc:
        raise CaseFileError(f"{path}: {exc}") from exc
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise CaseFileError(f"{path} is no case file: {type(exc).__name__}: {exc}") from exc


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > MAX_FILE_BYTES:
        raise CaseFileError(f"{info.filename} unpacks to {info.file_size} bytes, at most {MAX_FILE_BYTES} are read")
    return archive.read(info)


def _verified(files: dict[str, bytes], key: str) -> Verified:
    raw, signature = files.pop("manifest.json"), files.pop("manifest.sig")
    manifest: dict[str, Any] = json.loads(raw)
    public = manifest["public_key"]
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, raw)
    except InvalidSignature as exc:
        raise CaseFileError("the signature does not fit the manifest") from exc
    wanted = key.replace(" ", "").lower()
    if wanted and wanted not in (public, fingerprint(public).replace(" ", "")):
        raise CaseFileError(f"it was signed by {fingerprint(public)}, expected {key}")
    if manifest["format"] != FORMAT:
        raise CaseFileError(f"its format is {manifest['format']!r}, expected {FORMAT!r}")
    _check_files(files, manifest["files"])
    lines = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    _check_chain(lines, manifest["head"])
    return Verified(
        case=manifest["case"],
        organisation=manifest["organisation"],
        public_key=public,
        events=len(lines),
        deleted=sum(line["body"] is None for line in lines),
        files=len(files),
        exported_at=manifest["exported_at"],
        head=manifest["head"],
    )


def _check_files(files: dict[str, bytes], hashes: dict[str, str]) -> None:
    if missing := sorted(set(hashes) - set(files)):
        raise CaseFileError(f"{missing[0]} is missing")
    if added := sorted(set(files) - set(hashes)):
        raise CaseFileError(f"{added[0]} is not of it")
    for name, content in files.items():
        if sha256(content).hexdigest() != hashes[name]:
            raise CaseFileError(f"{name} was changed")


def _check_chain(lines: list[dict[str, Any]], head: str) -> None:
    for line in lines:
        if line["body"] is not None and body_sha256(line["body"]) != line["body_sha256"]:
            raise CaseFileError(f"the body of event {line['seq']} was changed")
    at = broken((line["seq"], line["body_sha256"], line["link"]) for line in lines)
    if at is not None:
        raise CaseFileError(f"the chain is broken at event {at}")
    if (lines[-1]["link"] if lines else GENESIS) != head:
        raise CaseFileError("the chain does not end at its signed head")
