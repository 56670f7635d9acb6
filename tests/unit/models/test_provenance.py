"""Content credentials: read where they are, told apart where they were stripped, changed, or signed out of time."""

import datetime
import io
import time
from pathlib import Path

import c2pa
import cv2
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from models.provenance import CredentialsState, media_type_of, read_credentials

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, common), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")]
    )


def certified(begins: datetime.datetime, ends: datetime.datetime) -> tuple[bytes, bytes]:
    """Return a chain of two certificates, and the key of the first, as PEM."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = (
        x509.CertificateBuilder()
        .subject_name(name("Root"))
        .issuer_name(name("Root"))
        .public_key(root_key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        x509.CertificateBuilder()
        .subject_name(name("Generator"))
        .issuer_name(name("Root"))
        .public_key(key.public_key())
        .serial_number(2)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    chain = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (leaf, root))
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return chain, key.private_bytes(*form)


def plain() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def signed(
    content: bytes, kind: str = "image/jpeg", begins: datetime.datetime = NOW - DAY, ends: datetime.datetime = NOW + DAY
) -> bytes:
    chain, key = certified(begins, ends)
    info = c2pa.C2paSignerInfo(b"es256", chain, key, None)
    created = {"action": "c2pa.created", "digitalSourceType": GENERATED}
    manifest = {
        "claim_generator_info": [{"name": "Sora", "version": "2"}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [created]}}],
    }
    settings = c2pa.Settings.from_dict({"verify": {"verify_after_sign": False}})
    out = io.BytesIO()
    with (
        c2pa.Builder(manifest, context=c2pa.Context(settings=settings)) as builder,
        c2pa.Signer.from_info(info) as signer,
    ):
        builder.sign(signer, kind, io.BytesIO(content), out)
    return out.getvalue()


def test_a_signed_file_says_who_signed_it_and_that_a_machine_made_it(tmp_path: Path) -> None:
    path = tmp_path / "forwarded"
    path.write_bytes(signed(plain()))
    found = read_credentials(path)
    assert found.state is CredentialsState.INTACT, found.problems
    assert (found.is_generated, found.generator, found.actions) == (True, "Sora 2", ("c2pa.created",))
    assert "Generator" in found.signer or "Test" in found.signer


def test_a_stripped_file_has_none(tmp_path: Path) -> None:
    path = tmp_path / "forwarded"
    pixels = cv2.imdecode(np.frombuffer(signed(plain()), np.uint8), cv2.IMREAD_COLOR)
    for content in (plain(), cv2.imencode(".jpg", pixels)[1].tobytes(), b"", b"hello"):
        path.write_bytes(content)
        assert read_credentials(path).state is CredentialsState.ABSENT


def test_a_changed_file_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "forwarded"
    content = bytearray(signed(plain()))
    content[-200] ^= 1
    path.write_bytes(content)
    found = read_credentials(path)
    assert found.state is CredentialsState.CHANGED
    assert any("mismatch" in problem for problem in found.problems), found.problems


def test_an_expired_certificate_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "forwarded"
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=3)
    path.write_bytes(signed(plain(), ends=ends))  # nobody signs with one that has expired already
    time.sleep(4)
    assert read_credentials(path).state is CredentialsState.EXPIRED


def test_a_broken_manifest_never_raises(tmp_path: Path) -> None:
    path = tmp_path / "forwarded"
    content = signed(plain())
    at = content.index(b"jumb")
    for end in range(at, at + 4000, 397):
        path.write_bytes(content[:end])
        assert read_credentials(path).state in tuple(CredentialsState)
        path.write_bytes(content[:end] + b"\xff" * 40 + content[end + 40 :])
        assert read_credentials(path).state is not CredentialsState.INTACT


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", "video/mp4"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "image/png"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x1aE\xdf\xa3", None),
        (b"", None),
    ],
)
def test_what_a_file_is_is_seen_in_it_and_not_in_its_name(head: bytes, kind: str | None) -> None:
    assert media_type_of(head) == kind
