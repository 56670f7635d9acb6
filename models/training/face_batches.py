"""Draws training batches of faces: half bona fide, half spoof, balanced by source, each worn by the same degradation.

Most forgeries are made on the spot from the genuine faces of the same batch, so that neither person, scene, camera nor
compression tells the classes apart; the rest are clips of real generators.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.training.face_augment import cross_blend, degrade, mouth_blend, self_blend
from models.training.face_data import BONA_FIDE, SPOOF, Cache, Entry
from models.window import Pixels

# Sources that nothing is fitted on: they measure the network and set its calibration.
HELD_OUT = {
    "iperov/DeepFaceLive",  # genuine and swapped halves of the same recordings: the fairest comparison there is
    "tanshuai0219/EDTalk",
    "X-LANCE/AniTalker",
    "ali-vilab/dreamtalk",
    "filby89/spectre",  # genuine, with actors of the same studio recordings as dreamtalk's
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
    # Plain people before plain cameras, at the size a call shows them: what must stay green.
    "haknudsen/websitetalkingheads",
    "websitetalkingheadsvideo/wth2025",
}

# From GIF: their palette's dither survives any later compression and would stand for "spoof" if seen often.
RARELY_DRAWN = {"ID-Animator/ID-Animator.github.io": 0.4}

STILL_SHARE = 0.4
SELF_SHARE, CROSS_SHARE = 0.6, 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What a batch is made of."""

    n_pairs: int = 10
    """Genuine faces that come together with a forgery made from them."""
    n_clips: int = 6
    """Genuine faces and faces of real generators that come by themselves, each."""

    @property
    def size(self) -> int:
        return 2 * (self.n_pairs + self.n_clips)


class Batches:
    """An endless supply of training batches.

    Args:
        cache: Crops and what they are of; held-out sources are left alone.
        mix: What a batch is made of.
    """

    def __init__(self, cache: Cache, mix: Mix) -> None:
        self._cache, self._mix = cache, mix
        trained = [entry for entry in cache.entries if entry.count and entry.trial.source not in HELD_OUT]
        self._clips = Pool(cache, [e for e in trained if (e.trial.label, e.trial.kind) == (BONA_FIDE, "video")])
        self._stills = Pool(cache, [e for e in trained if (e.trial.label, e.trial.kind) == (BONA_FIDE, "still")])
        self._spoofs = Pool(cache, [e for e in trained if e.trial.label == SPOOF])

    def draw(self, rng: np.random.Generator) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Return crops, shape (B, CROP_PX, CROP_PX, 3), and labels, shape (B,), 1 = bona fide."""
        genuine: list[Pixels] = []
        forged: list[Pixels] = []
        for _ in range(self._mix.n_pairs):
            crop, later = self._genuine(rng).draw(rng)
            genuine.append(crop)
            forged.append(self._forge(crop, later, rng))
        for _ in range(self._mix.n_clips):
            genuine.append(self._clips.draw(rng)[0])
            forged.append(self._spoofs.draw(rng)[0])
        worn = [degrade(crop, rng) for crop in (*genuine, *forged)]
        return np.stack(worn), np.repeat(np.array([1, 0], np.float32), len(genuine))

    def _genuine(self, rng: np.random.Generator) -> "Pool":
        return self._stills if rng.random() < STILL_SHARE else self._clips

    def _forge(self, crop: Pixels, later: Pixels, rng: np.random.Generator) -> Pixels:
        how = rng.random()
        if how < SELF_SHARE:
            return self_blend(crop, rng)
        if how < SELF_SHARE + CROSS_SHARE:
            return cross_blend(crop, self._genuine(rng).draw(rng)[0], rng)
        return mouth_blend(crop, later, rng)


class Pool:
    """Entries drawn by source: a source with four times the files is drawn twice as often.

    Args:
        cache: Where their crops are.
        entries: At least one.
    """

    def __init__(self, cache: Cache, entries: list[Entry]) -> None:
        self._cache = cache
        by_source: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_source[entry.trial.source].append(entry)
        self._sources = list(by_source.values())
        weights = np.array([len(many) ** 0.5 * RARELY_DRAWN.get(name, 1.0) for name, many in by_source.items()])
        self._shares = weights / weights.sum()

    def draw(self, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
        """Return two crops of one file, from different times where it has more than one."""
        source = self._sources[rng.choice(len(self._sources), p=self._shares)]
        crops = self._cache.of(source[rng.integers(len(source))])
        return crops[rng.integers(len(crops))], crops[rng.integers(len(crops))]
