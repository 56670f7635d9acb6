"""Voices for the calibration of identity: who speaks in a clip, and what the clip is like under three channels.

Speakers come from the manifest. One that several pages show under the same name of a public corpus is one speaker, so
that no fold knows a speaker whom it is measured on. Embeddings are kept on disk, a file a clip, and made once.
"""

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.drift import Piece
from models.identity import embed_voice
from models.speaker_net import load_speaker
from models.speech_pieces import SpeechCutter, SpeechPiece
from models.training.clips import voice_windows
from models.training.voice_codecs import g711, opus
from models.training.voice_data import decode
from models.voice_activity import VoiceActivity
from models.window import WINDOW_SAMPLES, Samples

Rows = npt.NDArray[np.float32]

CHANNELS: dict[str, Callable[[Samples], Samples]] = {
    "wideband": lambda samples: samples,
    "opus_16": partial(opus, bit_rate=16_000),
    "g711": g711,
}
CLIPS_A_SPEAKER = 3
"""Of one source: those with more would outweigh the others."""
CLIPS_OF_A_LONG_SPEAKER, LONG_S = 8, 60.0
"""Speakers with more than `LONG_S` of sound serve for long references and calls."""
CLONES_A_SPEAKER = 2
NOBODY = {"", "idx2_Speaker", "vctk_p202"}
"""What no one person is called: the second is fifteen people whose files are numbered, the third a folder's year."""
NAMES = re.compile(r"(?<![a-z0-9])(?:p[23]\d\d|ex0\d)(?!\d)")
"""Speakers of VCTK and Expresso. A file that names two is one's words in the other's voice, or the two together."""
IN_CORPORA = re.compile(r"(vctk_p|libri_|so762_|hyke_|mls_)")
"""Names under which corpora give their speakers; any other name holds within its own source alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceClip:
    """One clip of a known speaker, or of a machine that was made to speak as one."""

    path: Path
    source: str
    speaker: str
    recording: str
    """Where the source has it: two clips of one recording share it."""
    attack_type: str
    """`-` for bona fide."""

    @property
    def is_clone(self) -> bool:
        return self.attack_type != "-"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Voice:
    """What one clip is like under one channel."""

    clip: VoiceClip
    channel: str
    pieces: tuple[Piece, ...]


def read_voices(folder: Path) -> tuple[VoiceClip, ...]:
    """Return the clips to compare: of speakers with two recordings in one source or more, and of their clones.

    Two recordings of everybody come first, then clones, so that a run which is cut off has something of all.
    """
    with (folder / "manifest.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["kind"] == "audio" and _is_of_one(row)]
    groups: dict[tuple[str, str, bool], list[tuple[VoiceClip, float]]] = defaultdict(list)
    for row in rows:
        clip = _clip(folder, row)
        groups[clip.source, clip.speaker, clip.is_clone].append((clip, float(row["seconds"])))
    chosen: list[tuple[float, VoiceClip]] = []
    for (source, speaker, is_clone), found in sorted(groups.items(), key=lambda item: item[0]):
        genuine = groups.get((source, speaker, False), [])
        if len({clip.recording for clip, _ in genuine}) < 2:
            continue
        long = sum(seconds for _, seconds in found) > LONG_S
        most = CLONES_A_SPEAKER if is_clone else CLIPS_OF_A_LONG_SPEAKER if long else CLIPS_A_SPEAKER
        chosen += [(n + 1.5 * is_clone, clip) for n, (clip, _) in enumerate(_spread(found)[:most])]
    return tuple(clip for _, clip in sorted(chosen, key=lambda one: one[0]))


def embed(clips: Sequence[VoiceClip], folder: Path) -> Iterator[Voice]:
    """Yield each clip under each channel, a clone under the first alone; from `folder` what an earlier run left there.

    Args:
        clips: From `read_voices`.
        folder: Where embeddings are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    net, activity = load_speaker(), VoiceActivity()
    for n, clip in enumerate(clips):
        kept = folder / f"{hashlib.sha256(str(clip.path).encode()).hexdigest()[:16]}.npz"
        if not kept.is_file():
            samples = decode(clip.path)[:WINDOW_SAMPLES]
            channels = {"wideband": CHANNELS["wideband"]} if clip.is_clone else CHANNELS
            found = {name: rows_of(embed_voice(net, _cut(activity, sent(samples)))) for name, sent in channels.items()}
            np.savez(kept, allow_pickle=False, **found)
            if n % 20 == 19:
                print(f"{n + 1} of {len(clips)} clips", flush=True)
        with np.load(kept) as known:
            made = dict(known)
        for channel, rows in made.items():
            yield Voice(clip=clip, channel=channel, pieces=pieces_of(rows))


def _cut(activity: VoiceActivity, samples: Samples) -> list[SpeechPiece]:
    cutter = SpeechCutter(activity)
    return [piece for window in voice_windows(samples) for piece in cutter.push(window)] + cutter.finish()


def rows_of(pieces: Sequence[Piece]) -> Rows:
    """Return times and embeddings of pieces as one array for the disk, shape (N, 3 + D)."""
    rows = [np.concatenate([[piece.start_s, piece.end_s, piece.new_s], piece.vector]) for piece in pieces]
    return np.array(rows, np.float32) if rows else np.zeros((0, 3), np.float32)


def pieces_of(rows: Rows) -> tuple[Piece, ...]:
    """Return what `rows_of` was given."""
    return tuple(Piece(vector=row[3:], start_s=float(row[0]), end_s=float(row[1]), new_s=float(row[2])) for row in rows)


def _clip(folder: Path, row: dict[str, str]) -> VoiceClip:
    name, source = row["speaker"], row["source"]
    return VoiceClip(
        path=folder / row["file"],
        source=source,
        speaker=name if IN_CORPORA.match(name) or name == "ljspeech" else f"{source}:{name}",
        recording=row["path"],
        attack_type=row["attack_type"],
    )


def _is_of_one(row: dict[str, str]) -> bool:
    return row["speaker"] not in NOBODY and len(set(NAMES.findall(Path(row["path"]).name))) < 2


def _spread(found: Sequence[tuple[VoiceClip, float]]) -> list[tuple[VoiceClip, float]]:
    """Return clips with those of new recordings before those of recordings that came already."""
    seen: set[str] = set()
    first: list[tuple[VoiceClip, float]] = []
    again: list[tuple[VoiceClip, float]] = []
    for one in found:
        (again if one[0].recording in seen else first).append(one)
        seen.add(one[0].recording)
    return first + again
