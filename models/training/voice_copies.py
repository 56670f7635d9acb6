"""Copy synthesis: bona fide speech said again by vocoders, spoof twins of the same words, voice, room and microphone.

Twins take from sources that are bona fide only the chance that their channel answers, and many makers keep one maker's
traces from being all that is learned. The folder that this writes is one more `--data` folder for training; a copy
keeps its original's source and so its side of the split.

    python -m models.training.voice_copies --data ../shared/data/voice --hifigan hifigan.onnx --own vocoders \
      --out forged

The plan of who copies what depends on the seed alone: where a maker is absent its copies are left out, and a later run
that has it adds them. HiFi-GAN is the caller's to bring: ONNX, 80 mel bands at 22.05 kHz, hop 256 (V1).
"""

import argparse
import csv
import random
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch

from models.training.voice_data import decode
from models.training.voice_makers import ATTACKS, HIFIGAN, QUICK, copied, makers
from models.window import SAMPLE_RATE_HZ, Samples

COPY_S = 6.0
N_PER_SOURCE = 25
"""Copies of one source at most: more would make its speakers known rather than its channel neutral."""
N_TIMES = 2
"""Copies of one clip at most, each by another maker: small sources come nearer to the others so."""

COLUMNS = [
    *("file", "label", "attack", "attack_type", "kind", "source", "era", "speaker", "language", "channel"),
    *("seconds", "original_rate", "licence", "commit", "path"),
]
"""Of the manifest, as in the data set's own."""

Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One copy to be made."""

    name: str
    attack: str
    original: Row
    """Manifest row of the bona fide clip."""
    seed: int


def write_opus(path: Path, samples: Samples, rate_bps: int = 32_000) -> None:
    """Write speech as the data set's own clips were written: 16 kHz mono, Opus 32 kb/s."""
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE_HZ, layout="mono")
        stream.bit_rate = rate_bps
        pcm = (np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)
        for start in range(0, pcm.size - 319, 320):
            frame = av.AudioFrame.from_ndarray(pcm[None, start : start + 320], format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE_HZ
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def planned(rows: Iterable[Row], seed: int) -> list[Job]:
    """Return the copies to make, in random order; makers take turns, no source and no clip has more than its share."""
    rng = random.Random(seed)
    by_source: dict[str, list[Row]] = {}
    for row in rows:
        if row["label"] == "bona_fide" and row["kind"] == "audio":
            by_source.setdefault(row["source"], []).append(row)
    drawn = []
    for source in sorted(by_source):
        clips = by_source[source]
        rng.shuffle(clips)
        drawn += (clips * N_TIMES)[:N_PER_SOURCE]
    rng.shuffle(drawn)
    jobs: list[Job] = []
    taken: set[tuple[str, str]] = set()
    for number, row in enumerate(drawn):
        turns = (ATTACKS[(number + skip) % len(ATTACKS)] for skip in range(len(ATTACKS)))
        attack = next(turn for turn in turns if (row["file"], turn) not in taken)
        taken.add((row["file"], attack))
        name = f"clips/copy_{number:05}.opus"
        jobs.append(Job(name=name, attack=attack, original=row, seed=zlib.crc32(f"{seed} {name}".encode())))
    return jobs


def rows_of(folder: Path) -> list[Row]:
    """Return the rows of a folder's manifest, none where it has none yet."""
    path = folder / "manifest.csv"
    if not path.exists():
        return []
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


class Manifest:
    """Rows of finished files, each written as soon as its file lies complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.rows = rows_of(folder)
        self._known = {row["file"] for row in self.rows}
        (folder / "clips").mkdir(parents=True, exist_ok=True)
        if not (folder / "manifest.csv").exists():
            self._append(dict(zip(COLUMNS, COLUMNS, strict=True)))

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def add(self, row: Row, samples: Samples) -> None:
        """Write the clip beside its name, rename it, then write its row."""
        path = self._folder / row["file"]
        unfinished = path.with_suffix(".part")
        write_opus(unfinished, samples)
        unfinished.rename(path)
        row = row | {"seconds": f"{samples.size / SAMPLE_RATE_HZ:.2f}"}
        self._append(row)
        self.rows.append(row)
        self._known.add(row["file"])

    def _append(self, row: Row) -> None:
        with (self._folder / "manifest.csv").open("a", newline="") as lines:
            csv.DictWriter(lines, COLUMNS).writerow(row)


def copy_row(job: Job) -> Row:
    """Return the copy's manifest row: what its original says, except who made it."""
    return job.original | {
        "file": job.name,
        "label": "spoof",
        "attack": job.attack,
        "attack_type": "vocoder",
        "era": "modern",
        "licence": f"copy of: {job.original['licence']}",
        "path": job.original["file"],
    }


def main(arguments: list[str] | None = None) -> None:
    """Write the copies and their manifest; what lies there finished is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hifigan", type=Path, help="ONNX file of the HiFi-GAN vocoder")
    parser.add_argument("--own", type=Path, help="folder with checkpoints of models.training.voice_vocoder")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found, lacking = makers(args.hifigan, args.own)
    for attack, what in lacking.items():
        print(f"no copies by {attack}: it needs {what}", flush=True)
    manifest = Manifest(args.out)
    jobs = planned(rows_of(args.data), args.seed)
    for job in sorted(jobs, key=lambda job: (job.attack in HIFIGAN) - (job.attack in QUICK)):
        if job.attack in found and job.name not in manifest:
            original = decode(args.data / job.original["file"])[: int(COPY_S * SAMPLE_RATE_HZ)]
            manifest.add(copy_row(job), copied(found[job.attack], original, job.seed))
    for attack, n_copies in sorted(Counter(row["attack"] for row in manifest.rows).items()):
        print(f"{n_copies:5} {attack}")


if __name__ == "__main__":
    main()
