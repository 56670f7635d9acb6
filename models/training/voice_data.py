"""Speech for training: manifest rows become clips at 16 kHz in one memory-mapped file, and sources choose their side.

Sources, not clips, are split: a clip whose page is on the other side would let the channel answer. A clip that does not
decode stops the preparation with its name.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import numpy.typing as npt

from models.window import SAMPLE_RATE_HZ, WINDOW_SAMPLES, Samples

PERMISSIVE = frozenset(
    {
        "MobileSpeech/MobileSpeech.github.io",
        "coqui-ai/TTS",
        "deb:festvox-ru",
        "deb:pocketsphinx-testdata",
        "e1tts/e1tts.github.io",
        "jimbozhang/speechocean762",
        "keonlee9420/Comprehensive-Transformer-TTS",
        "keonlee9420/DiffGAN-TTS",
        "keonlee9420/PortaSpeech",
        "KoeAI/LLVC",
        "mindslab-ai/assem-vc",
        "ming024/FastSpeech2",
        "MycroftAI/Precise-Community-Data",
        "open-mmlab/Amphion",
        "resemble-ai/Resemblyzer",
        "shivammehta25/Matcha-TTS",
        "speechbrain/speechbrain",
        "yl4579/StarGANv2-VC",
    }
)
"""Sources whose repository states a licence that allows commercial use; what their own corpora ask is not cleared."""


COPY = "-copy"
"""How the `attack` of copied speech ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One row of the manifest."""

    path: Path
    file: str
    is_spoof: bool
    attack: str
    """The system that made it; `-` for bona fide."""
    source: str
    """Public repository or package: what is split."""
    era: str
    """`older` or `modern`; a spoof's age matters more than its kind."""
    speaker: str = ""
    """Empty where the page does not say."""
    language: str = ""

    @property
    def is_copy(self) -> bool:
        """Whether it is bona fide speech of its source, said again by `models.training.voice_copies`."""
        return self.attack.endswith(COPY)

    @property
    def family(self) -> str:
        """What is drawn with equal chance among a source's spoofs: a system, or all copies together."""
        return COPY if self.is_copy else self.attack


def read_manifest(folder: Path) -> tuple[Clip, ...]:
    """Return the speech clips that `folder/manifest.csv` names.

    Raises:
        ValueError: A row's label is neither `bona_fide` nor `spoof`.
    """
    with (folder / "manifest.csv").open(newline="") as lines:
        return tuple(_clip(folder, row) for row in csv.DictReader(lines) if row["kind"] == "audio")


def _clip(folder: Path, row: dict[str, str]) -> Clip:
    if row["label"] not in ("bona_fide", "spoof"):
        raise ValueError(f"{row['file']} has label {row['label']!r}, allowed are bona_fide and spoof")
    return Clip(
        path=folder / row["file"],
        file=row["file"],
        is_spoof=row["label"] == "spoof",
        attack=row["attack"],
        source=row["source"],
        era=row["era"],
        speaker=row.get("speaker") or "",
        language=row.get("language") or "",
    )


def manifest_sha256(folders: Iterable[Path]) -> str:
    """Return one digest over the manifests of all folders, in their order."""
    digest = hashlib.sha256()
    for folder in folders:
        digest.update((folder / "manifest.csv").read_bytes())
    return digest.hexdigest()


def decode(file: Path | BinaryIO) -> Samples:
    """Return a sound file as 16 kHz mono, shape (S,).

    Raises:
        av.FFmpegError: The file cannot be decoded; the message names it.
    """
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    with av.open(str(file) if isinstance(file, Path) else file, mode="r") as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def middle_window(samples: Samples) -> Samples:
    """Return the middle WINDOW_SAMPLES of a clip; a shorter clip stands within silence."""
    room = samples.size - WINDOW_SAMPLES
    if room >= 0:
        return samples[room // 2 : room // 2 + WINDOW_SAMPLES]
    return np.pad(samples, (-room // 2, -room - -room // 2))


class ClipStore:
    """Decoded clips in one memory-mapped int16 file: a training run opens no codec and holds no sound of its own."""

    def __init__(self, folder: Path, names: list[str], starts: list[int]) -> None:
        self.names = names
        self._starts = starts
        self._folder = folder
        self._sound: npt.NDArray[np.int16] = np.memmap(folder / "sound.i16", dtype=np.int16, mode="r")

    def __reduce__(self) -> tuple[type["ClipStore"], tuple[Path, list[str], list[int]]]:
        """Send the file's place to another process, not its sound."""
        return type(self), (self._folder, self.names, self._starts)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: int) -> Samples:
        stretch = self._sound[self._starts[index] : self._starts[index + 1]]
        return stretch.astype(np.float32) / 32768.0

    @classmethod
    def build(cls, clips: Sequence[Clip], folder: Path) -> "ClipStore":
        """Open the store of these clips, decoding them first where `folder` does not hold exactly them."""
        return cls.open(folder, [str(clip.path) for clip in clips], (decode(clip.path) for clip in clips))

    @classmethod
    def open(cls, folder: Path, names: list[str], sounds: Iterable[Samples]) -> "ClipStore":
        """Open the store of sounds under these names, taking them first where `folder` does not hold exactly these."""
        index = folder / "index.json"
        if index.exists():
            known = json.loads(index.read_text())
            if known["names"] == names:
                return cls(folder, names, known["starts"])
        folder.mkdir(parents=True, exist_ok=True)
        starts = [0]
        with (folder / "sound.i16").open("wb") as file:
            for samples in sounds:
                file.write((np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16).tobytes())
                starts.append(starts[-1] + samples.size)
        index.write_text(json.dumps({"names": names, "starts": starts}))
        return cls(folder, names, starts)
