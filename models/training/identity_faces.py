"""Faces for the calibration of identity: what the main face of each genuine clip, and of each live swap, is like.

Crops are those of the face's training (`models.training.face_views`), found and cut by the code that serves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models import quality
from models.drift import Piece
from models.face_id_net import FaceIdNet, load_face_id
from models.identity import embed_face
from models.training.face_data import BONA_FIDE, Trial
from models.training.face_views import View, prepare_views
from models.training.identity_voices import pieces_of, rows_of
from models.window import FaceCrop

PAIRS = "iperov/DeepFaceLive"
"""Each of its recordings shows a person as they are and, beside, with a face that is swapped as they speak."""
CODED = "h264-300"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What the face of one view of one clip is like."""

    trial: Trial
    view: str
    """`plain`, or a call's codec and bit rate."""
    pieces: tuple[Piece, ...]
    """A second each."""

    @property
    def is_swap(self) -> bool:
        return self.trial.label != BONA_FIDE


def embed(manifest: Path, crops: Path, folder: Path) -> Iterator[Seen]:
    """Yield the genuine clips as they are and through a codec, and the live swaps as they are.

    Args:
        manifest: The CSV; files are relative to its folder.
        crops: Where the face's training keeps what it makes of the manifest.
        folder: Where embeddings are kept: what an earlier run left there is not made again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place, views = prepare_views(manifest, crops, workers=1)
    net = load_face_id()
    for n, view in enumerate(filter(_is_wanted, views)):
        kept = folder / view.file
        if not kept.is_file():
            np.save(kept, rows_of(_embedded(net, view, place)))
            if n % 20 == 19:
                print(f"{n + 1} views", flush=True)
        yield Seen(trial=view.trial, view=view.name, pieces=pieces_of(np.load(kept)))


def _is_wanted(view: View) -> bool:
    if view.trial.label == BONA_FIDE:
        return view.name in ("plain", CODED)
    return view.name == "plain" and view.trial.source == PAIRS


def _embedded(net: FaceIdNet, view: View, place: Path) -> list[Piece]:
    pixels = np.load(place / view.file, mmap_mode="r")
    crops = [_crop(view, n, np.asarray(one)) for n, one in enumerate(pixels)]
    return embed_face(net, quality.usable(crops))


def _crop(view: View, n: int, pixels: np.ndarray) -> FaceCrop:
    landmarks = np.array(view.landmarks[n], np.float32)
    return FaceCrop(
        pixels=pixels,
        time_s=view.times[n],
        track=1,
        landmarks=landmarks,
        face_px=view.face_px[n],
        sharpness=view.sharpness[n],
        yaw_deg=quality.yaw_deg(landmarks),
    )
