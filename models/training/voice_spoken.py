"""Text-to-speech made here: sentences in three languages enter, spoof clips with their manifest rows leave.

The folder is the one that `voice_copies` writes to, or another like it. What can speak here is in `voice_speakers`.
Voices, texts, pace and level follow from the seed; the noise that Piper's network draws inside itself does not.

    python -m models.training.voice_spoken --parts parts --out forged
"""

import argparse
import random
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models.audio_features import torchaudio
from models.training.voice_copies import COLUMNS, COPY_S, Manifest, Row
from models.training.voice_sentences import SENTENCES
from models.training.voice_speakers import Speaker, speakers
from models.window import SAMPLE_RATE_HZ, Samples

SOURCE = "local:made"
COUNTS = {"Kokoro-82M": 240, "Piper(en_US-joe)": 72, "espeak-ng": 120, "hibari": 36, "flite": 48}
"""Clips of each system: most of the newest, whose voices are many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One sentence to be said."""

    name: str
    attack: str
    language: str
    text: str
    seed: int


def planned(seed: int, languages: dict[str, tuple[str, ...]]) -> list[Order]:
    """Return what each system is to say, in random order, its languages in equal parts.

    Args:
        seed: Of the draw.
        languages: Those of each system, by its name.
    """
    rng = random.Random(seed)
    drawn = []
    for attack, n_clips in COUNTS.items():
        spoken = languages.get(attack, ())
        for number in range(n_clips if spoken else 0):
            language = spoken[number % len(spoken)]
            drawn.append((f"clips/made_{zlib.crc32(attack.encode()):08x}_{number:04}.opus", attack, language))
    rng.shuffle(drawn)
    return [
        Order(
            name=name,
            attack=attack,
            language=language,
            text=rng.choice(SENTENCES[language]),
            seed=zlib.crc32(f"{seed} {name}".encode()),
        )
        for name, attack, language in drawn
    ]


def said(speaker: Speaker, order: Order) -> tuple[Row, Samples]:
    """Return one clip of at most COPY_S at 16 kHz, at a random level, and its row."""
    rng = random.Random(order.seed)
    voice = speaker.voice(order.language, rng)
    sound, rate_hz = speaker.say(order.text, order.language, voice, rng)
    samples = torchaudio.functional.resample(torch.from_numpy(np.asarray(sound, np.float32)), rate_hz, SAMPLE_RATE_HZ)
    samples = samples[: int(COPY_S * SAMPLE_RATE_HZ)].numpy()
    samples = samples / max(float(np.abs(samples).max()), 1e-3) * rng.uniform(0.2, 0.9)
    row = dict.fromkeys(COLUMNS, "") | {
        "file": order.name,
        "label": "spoof",
        "attack": order.attack,
        "attack_type": "tts",
        "kind": "audio",
        "source": SOURCE,
        "era": "modern" if order.attack in ("Kokoro-82M", "hibari", "Piper(en_US-joe)") else "older",
        "speaker": voice,
        "language": order.language,
        "channel": "wideband",
        "original_rate": str(rate_hz),
        "licence": speaker.licence,
        "commit": speaker.made_of,
        "path": order.text,
    }
    return row, samples.astype(np.float32)


def main(arguments: list[str] | None = None) -> None:
    """Write the clips and their manifest; what lies there finished is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--parts", type=Path, help="folder with the neural systems' files")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found, lacking = speakers(args.parts)
    for attack, what in lacking.items():
        print(f"no clips by {attack}: it needs {what}", flush=True)
    manifest = Manifest(args.out)
    orders = planned(args.seed, {attack: speaker.languages for attack, speaker in found.items()})
    for order in sorted(orders, key=lambda order: order.attack == "Kokoro-82M"):  # slow: a run cut short lacks it only
        if order.name not in manifest:
            manifest.add(*said(found[order.attack], order))
    counts = Counter((row["attack"], row["language"]) for row in manifest.rows if row["source"] == SOURCE)
    for (attack, language), n_clips in sorted(counts.items()):
        print(f"{n_clips:5} {attack} {language}")


if __name__ == "__main__":
    main()
