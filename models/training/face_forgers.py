"""Small face autoencoders, trained here, that stand in for the networks of face swaps, talking heads and restorers.

    python -m models.training.face_forgers --data ../shared/data/face

No generator of faces travels in a package, so four are trained on the genuine faces that the detector may learn from:
what they give back is the same person in the handwriting of a decoder. They differ in how they enlarge, how narrow
they are, and what they are asked to restore, as swap and lip-sync networks do. They serve training only and are never
shipped. Their copies of every genuine crop are kept beside the crops.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from models import weights
from models.training.face_data import BONA_FIDE, Cache, DataError, folder_of, is_pretraining, prepare
from models.window import CROP_PX

PATCH_PX = 96
BATCH = 8
PEAK_RATE = 1e-3
SEED = 11
COPIED_PX = 160
COPIED = slice(32, 192)
"""Rows and columns of a crop that are copied: the face and some of its surroundings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forger:
    """How one autoencoder is built and what it learns."""

    name: str
    enlarge: str
    """`shuffle`, `nearest` or `transposed`: how its decoder doubles the size, each with its own traces."""
    width: int
    code: int
    """Channels of the narrowest layer, at 1/16 of the size: fewer forget more of a skin's detail."""
    shrink: int = 1
    """It sees the face at 1/shrink of the size and restores it, as face restorers and low-resolution lip-syncs do."""


FORGERS = (
    Forger(name="swap", enlarge="shuffle", width=16, code=24),
    Forger(name="head", enlarge="nearest", width=16, code=48),
    Forger(name="gan", enlarge="transposed", width=16, code=32),
    Forger(name="restorer", enlarge="shuffle", width=16, code=64, shrink=4),
)


class Autoencoder(nn.Module):
    """Convolutions only, hence for crops of any multiple of 16 px.

    Args:
        forger: Its form.
    """

    def __init__(self, forger: Forger) -> None:
        super().__init__()
        w = forger.width
        self.shrink = forger.shrink
        sizes = (3, w, 2 * w, 4 * w, 4 * w)
        encode: list[nn.Module] = []
        for a, b in pairwise(sizes):
            encode += [nn.Conv2d(a, b, 5, 2, 2), nn.LeakyReLU(0.1)]
        self.encode = nn.Sequential(*encode, nn.Conv2d(4 * w, forger.code, 1))
        decode: list[nn.Module] = [nn.Conv2d(forger.code, 4 * w, 3, 1, 1), nn.LeakyReLU(0.1)]
        for a, b in ((4 * w, 4 * w), (4 * w, 2 * w), (2 * w, w), (w, w)):
            decode += [*_enlarge(forger.enlarge, a, b), nn.LeakyReLU(0.1), nn.Conv2d(b, b, 3, 1, 1), nn.LeakyReLU(0.1)]
        self.decode = nn.Sequential(*decode, nn.Conv2d(w, 3, 3, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what it makes of faces, shape (N, 3, H, W), about -1..1."""
        if self.shrink > 1:
            small = functional.interpolate(x, scale_factor=1 / self.shrink, mode="area")
            x = functional.interpolate(small, size=x.shape[2:], mode="bilinear", align_corners=False)
        y: torch.Tensor = self.decode(self.encode(x))
        return y


def _enlarge(how: str, a: int, b: int) -> list[nn.Module]:
    if how == "shuffle":
        return [nn.Conv2d(a, 4 * b, 3, 1, 1), nn.PixelShuffle(2)]
    if how == "transposed":
        return [nn.ConvTranspose2d(a, b, 4, 2, 1)]
    return [nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(a, b, 3, 1, 1)]


def train(forger: Forger, crops: npt.NDArray[np.uint8], minutes: float) -> Autoencoder:
    """Train one forger for some minutes of wall-clock time.

    Args:
        forger: Its form.
        crops: Genuine faces, shape (N, CROP_PX, CROP_PX, 3).
        minutes: Its budget [min].
    """
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    net = Autoencoder(forger).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch omits it
    optimiser = torch.optim.Adam(net.parameters(), PEAK_RATE, betas=(0.9, 0.98))
    began, losses = time.monotonic(), list[float]()
    while (spent := (time.monotonic() - began) / 60) < minutes:
        for group in optimiser.param_groups:
            group["lr"] = PEAK_RATE * 0.5 * (1 + np.cos(np.pi * min(1.0, spent / minutes)))
        target = _patches(crops, rng)
        loss = _difference(net(target), target)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        if len(losses) % 100 == 0:
            print(
                f"{forger.name}: step {len(losses)} at {spent:.1f} min, loss {np.mean(losses[-100:]):.3f}", flush=True
            )
    net.eval()
    return net  # type: ignore[no-any-return]  # of `to`, which torch leaves untyped


def _patches(crops: npt.NDArray[np.uint8], rng: np.random.Generator) -> torch.Tensor:
    """Return parts of random crops, mirrored now and then, shape (BATCH, 3, PATCH_PX, PATCH_PX)."""
    patches = []
    for _ in range(BATCH):
        y, x = rng.integers(20, CROP_PX - PATCH_PX - 10, 2)
        patch = crops[rng.integers(len(crops))][y : y + PATCH_PX, x : x + PATCH_PX]
        patches.append(patch[:, ::-1] if rng.random() < 0.5 else patch)
    return to_net(np.stack(patches))


def _difference(made: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute difference of pixels, and of what neighbours differ by, which keeps edges."""
    loss = (made - target).abs().mean()
    for dim in (2, 3):
        loss = loss + 2.0 * (made.diff(dim=dim) - target.diff(dim=dim)).abs().mean()
    return loss


def to_net(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    """Return uint8 pixels (N, H, W, 3) as float32 (N, 3, H, W), -1..1."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def copies(net: Autoencoder, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return what a forger makes of crops, same shape."""
    with torch.inference_mode():
        made = net(to_net(crops))
    pixels: npt.NDArray[np.uint8] = ((made.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    return pixels


def net_path(folder: Path, forger: Forger) -> Path:
    """Return where a trained forger is kept."""
    return folder / f"forger-{forger.name}.pt"


def load_forgers(folder: Path) -> tuple[Autoencoder, ...]:
    """Return the trained forgers.

    Raises:
        FileNotFoundError: They have not been trained.
    """
    nets = []
    for forger in FORGERS:
        net = Autoencoder(forger)
        net.load_state_dict(torch.load(net_path(folder, forger), weights_only=True))
        nets.append(net.eval())
    return tuple(nets)


def copies_path(folder: Path, forger: Forger) -> Path:
    """Return where the copies of all genuine crops by one forger are kept."""
    return folder / f"forged-{forger.name}.u8"


def forged(folder: Path) -> tuple[npt.NDArray[np.uint8], ...]:
    """Return each forger's copies of all crops' middles, shape (N, COPIED_PX, COPIED_PX, 3); rows of spoofs are empty.

    Raises:
        FileNotFoundError: The forgers have not been trained.
    """
    return tuple(
        np.memmap(copies_path(folder, forger), np.uint8, "r").reshape(-1, COPIED_PX, COPIED_PX, 3) for forger in FORGERS
    )


def write_copies(net: Autoencoder, cache: Cache, path: Path, note: Callable[[str], None]) -> None:
    """Write a forger's copies of every genuine crop; the file is sparse where the spoofs would be."""
    partial = path.with_suffix(".new")
    out = np.memmap(partial, np.uint8, "w+", shape=(len(cache.crops), COPIED_PX, COPIED_PX, 3))
    for index, entry in enumerate(cache.entries):
        if entry.trial.label == BONA_FIDE and entry.count:
            out[entry.first : entry.first + entry.count] = copies(net, cache.of(entry)[:, COPIED, COPIED])
        if index % 500 == 499:
            note(f"{path.stem}: {index + 1} of {len(cache.entries)} files")
    out.flush()
    partial.replace(path)


def train_missing(cache: Cache, folder: Path, minutes: float) -> None:
    """Train the forgers that are not there yet, and keep their copies of all genuine crops.

    Args:
        cache: Genuine crops among others.
        folder: Where forgers and copies are kept.
        minutes: For each forger [min].

    Raises:
        DataError: There is no genuine file with a face.
    """
    missing = [forger for forger in FORGERS if not copies_path(folder, forger).is_file()]
    rows = [
        row
        for entry in cache.entries
        if missing and is_pretraining(entry.trial)
        for row in range(entry.first, entry.first + entry.count)
    ]
    if missing and not rows:
        raise DataError("no genuine file to learn from in which a face was found")
    crops = cache.crops[np.array(rows, int)]
    for forger in missing:
        net = train(forger, crops, minutes)
        torch.save(net.state_dict(), net_path(folder, forger))
        write_copies(net, cache, copies_path(folder, forger), lambda text: print(text, flush=True))


def main(arguments: list[str] | None = None) -> None:
    """Train the forgers and keep their copies of all genuine crops."""
    parser = argparse.ArgumentParser(prog="python -m models.training.face_forgers", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--cache", type=Path, default=weights.folder() / "cache")
    parser.add_argument("--minutes", type=float, default=4.0, help="for each forger")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    manifest = chosen.data / "manifest.csv"
    folder = folder_of(manifest, "face", chosen.cache)
    train_missing(prepare(manifest, folder), folder, chosen.minutes)


if __name__ == "__main__":
    main()
