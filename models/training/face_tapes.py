"""Tapes of the face: each clip's windows, scored as the service does by a model trained without its source.

    python -m models.training.face_tapes --data ../shared/data/face

Stem and places of the checkpoint were trained on pages that are never measured. Tail and window branch are trained anew
without each group of sources, as in `models.training.train_face`'s second stage; what the checkpoint never saw, it
judges itself. Clips last about a window: each is played to and fro until it has several.
"""

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models import quality, weights
from models.face import FaceModel, WindowHead, load_face, window_raw
from models.faces import FaceFinder
from models.tapes import BONA_FIDE, TAPES, Provenance, Tape, counts, write
from models.training import face_data, face_forgers, face_frames, face_windows
from models.training.clips import face_windows as windows_of
from models.training.face_batches import BLIND, GROUPS
from models.training.face_data import Trial, folder_of, largest_face, manifest_digest, prepare, read_manifest
from models.training.face_views import prepare_views
from models.training.train_face import RECIPES, Workshop, window_branch
from models.training.transcode import Channel, Codec, call_sized, full_rate, sampled, transcode
from models.window import PICTURE_RATE_HZ, FaceCrop, Reason, Signal

RECIPE = "face-tapes"
NOTE = (
    "Second stages without the source's group, on the checkpoint's stem with a tail from ImageNet: a little worse than "
    "it. Clips last about 4 s and are played to and fro for 8 s."
)
CLEAN, CALL = "clean", "h264-300"
PLAYED_S = 8.0
"""How long a clip is played to and fro [s]."""
CROPS_AT_ONCE = 32


def fresh_tail() -> FaceModel:
    """Return the checkpoint's stem and places under a tail from ImageNet and an untrained window branch."""
    model, _ = load_face()
    packaged = face_frames.fresh()
    face_frames.imagenet(packaged)
    model.frame.tail.load_state_dict(packaged.tail.state_dict())
    nn.init.zeros_(model.frame.classify.weight)
    nn.init.zeros_(model.frame.classify.bias)
    model.window = WindowHead()
    return model.float().to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # torch omits it


def to_and_fro(crops: Sequence[FaceCrop], seconds: float) -> list[tuple[float, tuple[FaceCrop, ...]]]:
    """Return pictures of one face that go to and fro over its crops for so many seconds, longer clips as they are.

    Args:
        crops: By time, not empty.
        seconds: How long at least [s].
    """
    n = max(int(seconds * PICTURE_RATE_HZ), len(crops))
    period = max(2 * (len(crops) - 1), 1)
    steps = [min(i % period, period - i % period) for i in range(n)]
    # Copies, since a detector knows crops by identity and each has a time of its own.
    return [
        (i / PICTURE_RATE_HZ, (replace(crops[step], time_s=i / PICTURE_RATE_HZ, track=1),))
        for i, step in enumerate(steps)
    ]


@torch.inference_mode()
def scored(model: FaceModel, crops: Sequence[FaceCrop]) -> list[tuple[float | None, Reason | None, float]]:
    """Return raw score, or why there is none, and seconds of face, of each window of a clip that goes to and fro.

    Args:
        model: All of it.
        crops: Of the clip's face, by time, not empty.
    """
    pictures = to_and_fro(crops, PLAYED_S)
    known = {id(crop.pixels): crop.pixels for _, (crop,) in pictures}
    names = list(known)
    rows: dict[int, npt.NDArray[np.float32]] = {}
    for start in range(0, len(names), CROPS_AT_ONCE):
        part = names[start : start + CROPS_AT_ONCE]
        found = model.frame(torch.from_numpy(np.stack([known[name] for name in part]))).numpy()
        rows |= dict(zip(part, found, strict=True))
    windows: list[tuple[float | None, Reason | None, float]] = []
    for window in windows_of(pictures):
        reason = quality.gate(window)
        usable = quality.usable(window.crops)
        if window.end_s > len(pictures) / PICTURE_RATE_HZ + 1e-6:
            continue  # not whole
        if reason is not None:
            windows.append((None, reason, 0.0))
            continue
        seen = np.stack([rows[id(crop.pixels)] for crop in usable])
        raw = window_raw(model.window, seen, np.stack([crop.landmarks for crop in usable]))
        windows.append((raw, None, len(usable) / PICTURE_RATE_HZ))
    return windows


def tapes_of(trial: Trial, root: Path, finder: FaceFinder, model: FaceModel) -> Iterator[Tape]:
    """Yield a clip's tapes: as it is, and as a call would carry it."""
    pictures = list(call_sized(full_rate(root / trial.file)))
    sent = {CLEAN: pictures, CALL: list(transcode(pictures, Channel(codec=Codec.H264, kbit_s=300)))}
    for condition, seen in sent.items():
        crops = largest_face(list(sampled(seen)), finder)
        if not crops:
            continue
        raws, reasons, face_s = zip(*scored(model, crops), strict=True)
        yield Tape(
            signal=Signal.FACE,
            source=trial.source,
            person=trial.path,
            attack=BONA_FIDE if trial.label == face_data.BONA_FIDE else trial.attack,
            attack_type=BONA_FIDE if trial.label == face_data.BONA_FIDE else trial.attack_type,
            condition=condition,
            is_telephone=False,
            raws=raws,
            reasons=reasons,
            analysed_s=face_s,
        )


def models_by_group(shop: Workshop, names: Iterable[str]) -> dict[str, FaceModel]:
    """Return the model that was trained without each group; of what the checkpoint never saw, the checkpoint."""
    cache = prepare(shop.manifest, shop.folder)
    face_forgers.train_missing(cache, shop.folder, shop.recipe.forger_minutes)
    place, views = prepare_views(shop.manifest, shop.folder, shop.workers, measured=False)
    stem = load_face()[0].float().frame
    features = face_windows.look_at(stem, place, views, shop.folder / "features.npy", shop.workers)
    return {
        name: load_face()[0] if name == BLIND else window_branch(shop, features, fresh_tail, name) for name in names
    }


def main(arguments: list[str] | None = None) -> None:
    """Train what is missing, score, and write `tapes/face.json.gz`."""
    parser = argparse.ArgumentParser(prog="python -m models.training.face_tapes", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--cache", type=Path, default=weights.folder() / "cache", help="where parts are kept")
    parser.add_argument("--out", type=Path, default=TAPES)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    manifest = given.data / "manifest.csv"
    folder = folder_of(manifest, RECIPE, given.cache)
    shop = Workshop(name=RECIPE, recipe=RECIPES[RECIPE], manifest=manifest, folder=folder, workers=given.workers)
    models = models_by_group(shop, GROUPS)
    trials = [(trial, name) for trial in read_manifest(manifest) if trial.kind == "video" and (name := _group(trial))]

    def judge(chosen: tuple[Trial, str]) -> list[Tape]:
        torch.set_num_threads(1)  # of this thread
        return list(tapes_of(chosen[0], given.data, FaceFinder(), models[chosen[1]]))

    with ThreadPoolExecutor(given.workers) as pool:
        tapes = [tape for own in pool.map(judge, trials) for tape in own]
    tapes.sort(key=lambda tape: (tape.source, tape.attack, tape.person, tape.condition))
    provenance = Provenance(recipe=RECIPE, manifest_sha256=manifest_digest(manifest), note=NOTE)
    write(given.out / "face.json.gz", provenance, tapes)
    print("\n".join(counts(tapes)))


def _group(trial: Trial) -> str:
    return next((name for name, sources in GROUPS.items() if trial.source in sources), "")


if __name__ == "__main__":
    main()
