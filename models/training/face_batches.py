"""Draws training batches of faces: genuine crops and forgeries made of them on the spot, each pair worn alike.

So that neither person, scene, camera nor compression tells the classes apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.face import PLACES, REGION
from models.training.face_augment import (
    Forgery,
    Mask,
    cross_blend,
    degrade,
    mouth_blend,
    reenacted,
    rendered,
    self_blend,
)
from models.training.face_data import OWN_HELD, Cache, Entry, is_pretraining
from models.window import Pixels

BLIND = "blind"
GROUPS: dict[str, frozenset[str]] = {
    # Genuine and swapped halves of the same recordings: the fairest comparison there is.
    "pairs": frozenset({"iperov/DeepFaceLive"}),
    "talkers": frozenset({"haknudsen/websitetalkingheads", "omnihuman-lab/omnihuman-lab.github.io"}),
    "readers": frozenset({"skymanaditya1/LipReadingQuiz", "ID-Animator/ID-Animator.github.io"}),
    "styles": frozenset(
        {"FuxiVirtualHuman/styletalk", "PawanOct84/TalkingAvatar", "loopyavatar/loopyavatar.github.io"}
    ),
    # With actors of the same studio recordings on several pages.
    "studio": frozenset({"filby89/spectre", "ali-vilab/dreamtalk", "X-LANCE/AniTalker"}),
    "singles": frozenset(
        {
            "GlitchyTech/Deepfake",
            "Mahfoozalam1516/Podcast",
            "ZiqiaoPeng/SyncTalk",
            "anantmehta33/CelebSync-Deepfake-Lip-Syncs-with-Famous-Personalities",
            "haroon001/wav2lipHQ_alethea_ai",
            "mirudh/text2lip_synced_video",
            "vivek-lakhani-1/Talk-Face-AI",
        }
    ),
    # What the checkpoint itself never saw: its tests run on these.
    BLIND: frozenset(
        {
            "tanshuai0219/EDTalk",
            "websitetalkingheadsvideo/wth2025",
            # Lip-syncs and originals, mostly of one and the same man: all of these pages, or the face would leak.
            "Akash-Jariwala/lipsync-assignment",
            "PhaniTejaPMSS/video-lip-sync",
            "RohanNim/R21",
            "akashsharma-2002/LIP_SYNC",
            "aniketpatro04/Listed_Wav2Lip_Lipsync",
            "bchachar/lip_sync_video_generator",
            "darshithachinta/wav2lip-assignment",
            "kuwarkapur/Wav2Lip_testing",
            "p2806/AvatarLipSync",
            "salwinat0r/LipSync",
        }
    ),
}
"""Sources that are left out together, each group in turn; those of `face_data.PRETRAINING` never are."""


def left_out(name: str, sources: Iterable[str]) -> frozenset[str]:
    """Return which of some sources a group leaves out; with what the checkpoint never saw go the own calls held out."""
    held = {source for source in sources if name == BLIND and source.startswith(OWN_HELD)}
    return GROUPS[name] & frozenset(sources) | held


STILL_SHARE = 0.6
CANDIDATES = 5
"""Faces that one is chosen from to be swapped in."""
SHARES = {"blend": 0.25, "cross": 0.1, "mouth": 0.1, "rendered": 0.4, "reenacted": 0.15}
"""Of the kinds of forgery that are made on the spot."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameBatch:
    """Crops, genuine ones first, each followed half a batch later by a forgery of it under the same wear."""

    pixels: npt.NDArray[np.uint8]
    """Shape (B, CROP_PX, CROP_PX, 3)."""
    labels: npt.NDArray[np.float32]
    """1 = bona fide, shape (B,)."""
    genuine: npt.NDArray[np.float32]
    """How much of each place of `models.face.REGION` is the camera's, 0..1, shape (B, PLACES, PLACES)."""


class FrameBatches:
    """An endless supply of pairs, from genuine stills and the genuine clips of pages that are never measured.

    Args:
        cache: Crops and what they are of.
        copies: Each forger's copies of them, from `models.training.face_forgers.forged`."""

    def __init__(self, cache: Cache, copies: Sequence[npt.NDArray[np.uint8]]) -> None:
        self._copies = copies
        known = [entry for entry in cache.entries if entry.count and is_pretraining(entry.trial)]
        self._clips = Pool(cache, [entry for entry in known if entry.trial.kind == "video"])
        self._stills = Pool(cache, [entry for entry in known if entry.trial.kind == "still"])

    def draw(self, rng: np.random.Generator, n_pairs: int, *, fine: bool = False) -> FrameBatch:
        """Return a batch of so many pairs; `fine`: see `models.training.face_augment.rendered`."""
        genuine: list[tuple[Pixels, Mask]] = []
        forged: list[tuple[Pixels, Mask]] = []
        for _ in range(n_pairs):
            crop, forgery, _ = self.pair(rng, fine=fine)
            # The same wear for both: neither blur nor grain nor light may tell the classes apart.
            wear = int(rng.integers(1 << 62))
            genuine.append(degrade(crop, np.zeros(crop.shape[:2], np.float32), np.random.default_rng(wear)))
            forged.append(degrade(forgery.pixels, forgery.mask, np.random.default_rng(wear)))
        return FrameBatch(
            np.stack([pixels for pixels, _ in (*genuine, *forged)]),
            np.repeat(np.array([1, 0], np.float32), n_pairs),
            1 - np.stack([at_places(mask) for _, mask in (*genuine, *forged)]),
        )

    def pair(self, rng: np.random.Generator, *, fine: bool = False) -> tuple[Pixels, Forgery, str]:
        """Return a genuine crop, a forgery of it before any wear, and the forgery's kind."""
        wants_still = rng.random() < STILL_SHARE
        pool = self._clips if self._stills.is_empty or not (wants_still or self._clips.is_empty) else self._stills
        draw = pool.draw(rng)
        kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        copy = self._copies[int(rng.integers(len(self._copies)))][draw.row]
        match kind:
            case "blend":
                forgery = self_blend(draw.crop, rng)
            case "cross":
                others = [pool.draw(rng).crop for _ in range(CANDIDATES)]
                forgery = cross_blend(draw.crop, min(others, key=lambda other: _unlike(draw.crop, other)), rng)
            case "mouth":
                forgery = mouth_blend(draw.crop, draw.later, rng)
            case "rendered":
                forgery = rendered(draw.crop, copy, rng, fine=fine)
            case _:
                forgery = reenacted(draw.crop, rng)
        return draw.crop, forgery, kind


def _unlike(one: Pixels, other: Pixels) -> float:
    """Return how far two faces are apart in colour: nobody swaps a face whose skin gives it away."""
    middle = slice(80, 150, 4), slice(80, 145, 4)
    return float(np.abs(one[middle].mean(axis=(0, 1)) - other[middle].mean(axis=(0, 1))).sum())


def at_places(mask: Mask) -> Mask:
    """Return the mean of a mask in each place of `models.face.REGION`, shape (PLACES, PLACES)."""
    return np.asarray(cv2.resize(mask[REGION], (PLACES, PLACES), interpolation=cv2.INTER_AREA), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Two crops of one file, from different times where it has more than one."""

    crop: Pixels
    later: Pixels
    row: int
    """Where `crop` stands in the cache."""


class Pool:
    """Entries drawn by source: a source with four times the files is drawn twice as often.

    Args:
        cache: Where their crops are.
        entries: Without any, nothing can be drawn.
    """

    def __init__(self, cache: Cache, entries: list[Entry]) -> None:
        self._cache = cache
        by_source: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_source[entry.trial.source].append(entry)
        self._sources = list(by_source.values())
        self.is_empty = not by_source
        weights = np.array([len(many) ** 0.5 for many in by_source.values()])
        self._shares = weights / max(weights.sum(), 1e-9)

    def draw(self, rng: np.random.Generator) -> Draw:
        """Return crops of a random file."""
        source = self._sources[rng.choice(len(self._sources), p=self._shares)]
        entry = source[rng.integers(len(source))]
        row, later = entry.first + rng.integers(entry.count, size=2)
        return Draw(self._cache.crops[row], self._cache.crops[later], int(row))
