"""Keys at rest: one for each call, so that deleting a small file deletes all evidence of the call wherever it lies.

What is sealed with a call's key is unreadable once the key is gone: in the database, in its write-ahead log, in every
copy that somebody made of either. The keys themselves must therefore never be copied along with them.
"""

import contextlib
import os
import re
import secrets
import threading
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32
SERVICE = "service"
"""Name of the key for secrets that belong to no call."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ShreddedError(Exception):
    """The key is gone, and with it what was sealed."""


class Vault:
    """Seals bytes with AES-256-GCM.

    Args:
        folder: Of the keys; made when the first is written, readable by the service's user alone.
        is_volatile: Whether keys of calls are in memory only, gone with the service.
    """

    def __init__(self, folder: Path, *, is_volatile: bool = False) -> None:
        self._folder = folder
        self._volatile: dict[str, bytes] | None = {} if is_volatile else None
        self._making = threading.Lock()

    def seal(self, name: str, plain: bytes) -> bytes:
        """Seal with the key of a call, made if it is missing.

        Raises:
            OSError: The key cannot be written.
            ShreddedError: The call's evidence was deleted.
        """
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._key(name, make=True)).encrypt(nonce, plain, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            ShreddedError: The key is gone, or it is not the one.
        """
        try:
            return AESGCM(self._key(name)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
        except InvalidTag as exc:
            raise ShreddedError(f"what was sealed for {name} cannot be opened with its key") from exc

    def shred(self, name: str) -> None:
        """Delete the key of a call for good; an empty file stays, so that it is never made anew.

        Raises:
            OSError: It cannot be deleted.
        """
        path = self._path(name)
        if self._volatile is not None:
            self._volatile.pop(name, None)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError), path.open("r+b") as key:
            key.write(os.urandom(KEY_BYTES))
            key.flush()
            os.fsync(key.fileno())
        self._write(path, b"")

    def is_shredded(self, name: str) -> bool:
        """Whether the key of a call was deleted."""
        try:
            return self._path(name).stat().st_size == 0
        except FileNotFoundError:
            return False

    def signing_key(self) -> Ed25519PrivateKey:
        """Return the key that case files are signed with, made at the first time.

        Raises:
            OSError: It cannot be read or written.
        """
        path = self._folder / "signing.pem"
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError:
            key = Ed25519PrivateKey.generate()
            form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            self._write(path, key.private_bytes(serialization.Encoding.PEM, *form), is_new=True)
            return self.signing_key()
        assert isinstance(key, Ed25519PrivateKey)
        return key

    def _key(self, name: str, *, make: bool = False) -> bytes:
        path = self._path(name)
        if self._volatile is not None and name in self._volatile:
            return self._volatile[name]
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            if not make:
                raise ShreddedError(f"there is no key for {name}") from None
            with self._making:
                key = self._made(path, name)
        if len(key) != KEY_BYTES:
            raise ShreddedError(f"the evidence of {name} was deleted")
        return key

    def _made(self, path: Path, name: str) -> bytes:
        """Return a new key, or the one that another thread or service has just made."""
        if self._volatile is not None and name != SERVICE:
            return self._volatile.setdefault(name, os.urandom(KEY_BYTES))
        if not path.exists():
            self._write(path, os.urandom(KEY_BYTES), is_new=True)
        return path.read_bytes()

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ShreddedError(f"{name[:64]!r} is no name of a call")
        return self._folder / f"{name}.key"

    def _write(self, path: Path, content: bytes, *, is_new: bool = False) -> None:
        """Write the whole file or nothing, and its name in the folder, before anything relies on it.

        Args:
            path: Of the file.
            content: Of the file.
            is_new: Whether one that is there already stays: another service was quicker.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_suffix(f".{secrets.token_hex(4)}.part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        if is_new:
            with contextlib.suppress(FileExistsError):
                os.link(part, path)
            part.unlink()
        else:
            part.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
