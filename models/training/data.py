"""Shows a person what the face network sees in training.

    python -m models.training.data --data ../shared/data/face --preview sheet.png

Each row of the sheet is one genuine face and one forgery of it: genuine, forged, where it was altered, and both again
under the wear of a call. The sheet shows real people: it is for looking at, not for publishing.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from models import weights
from models.training.face_augment import degrade
from models.training.face_batches import SHARES, FrameBatches
from models.training.face_data import folder_of, prepare
from models.training.face_forgers import FORGERS, copies_path, forged
from models.window import CROP_PX, Pixels


def sheet(batches: FrameBatches, rows_of_each: int, rng: np.random.Generator) -> Pixels:
    """Return the contact sheet, `rows_of_each` rows for every kind of forgery, its name at the left."""
    rows: dict[str, list[Pixels]] = {kind: [] for kind in SHARES}
    while any(len(found) < rows_of_each for found in rows.values()):
        crop, forgery, kind = batches.pair(rng)
        if len(rows[kind]) == rows_of_each:
            continue
        wear = int(rng.integers(1 << 62))
        no_mask = np.zeros(crop.shape[:2], np.float32)
        where = np.repeat((forgery.mask * 255).astype(np.uint8)[..., None], 3, axis=2)
        worn = [degrade(pixels, no_mask, np.random.default_rng(wear))[0] for pixels in (crop, forgery.pixels)]
        rows[kind].append(np.hstack([_label(kind), crop, forgery.pixels, where, *worn]))
    return np.vstack([row for found in rows.values() for row in found])


def _label(text: str) -> Pixels:
    card = np.full((CROP_PX, 120, 3), 255, np.uint8)
    cv2.putText(card, text, (6, CROP_PX // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    return card


def main(arguments: list[str] | None = None) -> None:
    """Draw a contact sheet of training pairs."""
    parser = argparse.ArgumentParser(prog="python -m models.training.data", description=main.__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/face"), help="folder with manifest.csv")
    parser.add_argument("--preview", type=Path, required=True, help="picture file to write")
    parser.add_argument("--cache", type=Path, default=weights.folder() / "cache")
    parser.add_argument("--rows", type=int, default=3, help="of each kind of forgery")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    manifest = chosen.data / "manifest.csv"
    folder = folder_of(manifest, "face", chosen.cache)
    if missing := [forger.name for forger in FORGERS if not copies_path(folder, forger).is_file()]:
        parser.error(f"forgers {', '.join(missing)} are not trained: run python -m models.training.face_forgers first")
    batches = FrameBatches(prepare(manifest, folder), forged(folder))
    picture = sheet(batches, chosen.rows, np.random.default_rng(chosen.seed))
    if not cv2.imwrite(str(chosen.preview), picture[..., ::-1]):
        parser.error(f"cannot write {chosen.preview}")
    print(f"{chosen.preview}: genuine, forged, where, both worn")


if __name__ == "__main__":
    main()
