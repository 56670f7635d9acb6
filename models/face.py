"""The face network: aligned crops in; of each a logit and its map over the face out, of a window a raw score.

Pixels enter as they leave `models.preprocess.align_face`; scaling and normalisation live inside the module, so that
every engine (torch, OpenVINO, CUDA) runs the same arithmetic. Calibration is not applied here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from models import checkpoint
from models.checkpoint import Checkpoint
from models.preprocess import TEMPLATE
from models.window import CROP_PX

# Repeats, kernel, stride, expansion, channels of the stages of EfficientNet-Lite0.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, MIDDLE, HEAD = 32, 112, 1280
PLACE_WIDTH, EMBEDDING = 48, 32
FRAME_WIDTH = EMBEDDING + 3
"""Of a crop in the window branch: logit, embedding, mean of all places and of the `WORST_PLACES` most suspicious."""
LANDMARK_WIDTH, LANDMARK_PX = 10, 10.0
WINDOW_WIDTH = 24
WORST_PLACES = 10

CELL_PX = 8
"""Of an explanation's map."""
INPUT_PX = 160
"""Side that the region is scaled to: a multiple of 32, since the padding counts on even sizes."""
PLACES = INPUT_PX // 16
REGION = slice(24, 200), slice(24, 200)
"""Rows and columns of a crop that are read: from the forehead to below the chin, with the seams of a swap."""
MEAN, STD = 127.0, 128.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameReading:
    """What the network says of one crop."""

    row: npt.NDArray[np.float32]
    """All of it, shape (1 + EMBEDDING + h * w,): what the window branch reads."""
    logit: float
    """Up = bona fide."""
    places: npt.NDArray[np.float32]
    """The logit of each place of `REGION`, shape (h, w), rows from the top."""


class FaceNet(nn.Module):
    """EfficientNet-Lite0 that reads the face and its seams, and says of the whole and of each place what it sees.

    No squeeze-and-excitation and no swish, hence cheap and the same on every engine. `stem` ends where a place is 1/16
    of the input; `tail` goes on to 1/32.

    Source:
        Tan and Le 2019, https://arxiv.org/abs/1905.11946; padding and normalisation as in its TensorFlow Lite form.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(Conv(3, STEM, kernel=3, stride=2), *_stages(STEM, STAGES[:5]))
        self.tail = nn.Sequential(*_stages(MIDDLE, STAGES[5:]), Conv(STAGES[-1][-1], HEAD, kernel=1))
        self.places = nn.Sequential(Conv(MIDDLE, PLACE_WIDTH, kernel=1), nn.Conv2d(PLACE_WIDTH, 1, 1))
        self.classify = nn.Linear(HEAD, 1)
        self.embed = nn.Linear(HEAD, EMBEDDING)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the logit of each crop and of each of its places, up = bona fide, and its embedding.

        Args:
            pixels: uint8, shape (N, CROP_PX, CROP_PX, 3), RGB.

        Returns:
            float32, shape (N, 1 + EMBEDDING + h * w): the crop's logit, its embedding, then the logits of its places by
            rows, h = w = PLACES.
        """
        return self.read(self.look(pixels))

    def look(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the middle features of crops, shape (N, MIDDLE, h, w)."""
        x = pixels[:, REGION[0], REGION[1]].permute(0, 3, 1, 2).float()  # (N, 3, H, W), channels last in memory
        side = [INPUT_PX, INPUT_PX]
        x = functional.interpolate(x, size=side, mode="bilinear", align_corners=False)
        return cast(torch.Tensor, self.stem((x - MEAN) / STD))

    def read(self, middle: torch.Tensor) -> torch.Tensor:
        """Return what `forward` returns, from the middle features."""
        pooled = self.tail(middle).mean(dim=(2, 3))  # (N, HEAD)
        places = self.places(middle).flatten(1)  # (N, h * w)
        return torch.cat([self.classify(pooled), functional.relu(self.embed(pooled)), places], dim=1)


def _stages(channels: int, stages: Sequence[tuple[int, int, int, int, int]]) -> list[nn.Module]:
    blocks: list[nn.Module] = []
    for repeats, kernel, stride, expansion, out in stages:
        for index in range(repeats):
            blocks.append(Block(channels, out, kernel, stride if index == 0 else 1, expansion))
            channels = out
    return blocks


class Conv(nn.Module):
    """Convolution and, unless `linear`, ReLU6.

    There is no batch norm: the packaged weights' is folded in before training, which makes that 1.7 times as fast.
    """

    def __init__(
        self, channels: int, out: int, *, kernel: int, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups)
        # "Same" padding of TensorFlow, which the packaged weights expect: the odd pixel goes to the right and below.
        before = (kernel - 2) // 2
        self.pad = (before, kernel - 2 - before) * 2 if stride == 2 else None
        self.linear = linear

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.pad is not None:
            x = functional.pad(x, self.pad)
        x = self.conv(x)
        return x if self.linear else functional.relu6(x)


class Block(nn.Module):
    """Inverted residual: widen, filter each channel by itself, narrow."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        widen = [Conv(channels, wide, kernel=1)] if expansion > 1 else []
        self.body = nn.Sequential(
            *widen,
            Conv(wide, wide, kernel=kernel, stride=stride, groups=wide),
            Conv(wide, out, kernel=1, linear=True),
        )
        self.residual = stride == 1 and channels == out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.body(x)
        return x + y if self.residual else y


class WindowHead(nn.Module):
    """Weighs the crops of one face over a window: what each shows, and how that and the landmarks move.

    Starts as the mean of the crops' logits and of their places'; training adds to it what the movement tells.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        # On sources left out .65 to .67 of AUC for any gain from 1 to 8, .64 without: see the model card.
        self.place_gain = nn.Parameter(torch.full((1,), 3.0))
        self.hidden = nn.Linear(3 * FRAME_WIDTH + 2 * LANDMARK_WIDTH, WINDOW_WIDTH)
        self.out = nn.Linear(WINDOW_WIDTH, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, rows: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
        """Return the raw score of each window, up = bona fide.

        Args:
            rows: What `FaceNet` gives for the crops, by time, shape (B, T, 1 + EMBEDDING + h * w), T at least 2.
            landmarks: Where they lie in the crops, shape (B, T, 5, 2) [px].

        Returns:
            Shape (B,).
        """
        places = rows[..., 1 + EMBEDDING :]  # (B, T, h * w)
        worst = places.topk(WORST_PLACES, dim=-1, largest=False).values.mean(dim=-1, keepdim=True)
        shown = torch.cat([rows[..., : 1 + EMBEDDING], places.mean(dim=-1, keepdim=True), worst], dim=-1)
        off = (landmarks - torch.from_numpy(TEMPLATE)).flatten(2) / LANDMARK_PX  # (B, T, LANDMARK_WIDTH)
        x = torch.cat([shown.mean(dim=1), *_movement(shown), *_movement(off)], dim=1)
        added = self.out(functional.relu(self.hidden(x))).squeeze(1)
        said = self.gain * shown[..., 0] + self.place_gain * shown[..., 1 + EMBEDDING]  # (B, T)
        return said.mean(dim=1) + cast(torch.Tensor, added)


def _movement(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the spread over time and the mean step from one picture to the next, shapes (B, D), of x (B, T, D)."""
    return x.std(dim=1, correction=0), x.diff(dim=1).abs().mean(dim=1)


class FaceModel(nn.Module):
    """Both branches, as they are trained and kept."""

    def __init__(self) -> None:
        super().__init__()
        self.frame = FaceNet()
        self.window = WindowHead()


def frame_reading(row: npt.NDArray[np.float32]) -> FrameReading:
    """Return what one row of the network's output says."""
    return FrameReading(row=row, logit=float(row[0]), places=row[1 + EMBEDDING :].reshape(PLACES, PLACES))


def window_raw(head: WindowHead, rows: npt.NDArray[np.float32], landmarks: npt.NDArray[np.float32]) -> float:
    """Return the raw score of one window's crops, up = bona fide.

    Args:
        head: The window branch.
        rows: What the frame branch gave for them, shape (T, 1 + EMBEDDING + h * w).
        landmarks: Where they lie, shape (T, 5, 2) [px].
    """
    with torch.inference_mode():
        return float(head(torch.from_numpy(rows)[None], torch.from_numpy(landmarks)[None]))


def still_raw(head: WindowHead, reading: FrameReading) -> float:
    """Return the raw score of a single picture: what the window branch says of its frames, without movement."""
    return head.gain.item() * reading.logit + head.place_gain.item() * float(reading.places.mean())


def over_crop(places: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
    """Spread what is known of `REGION`'s places over the whole crop, shape (CROP_PX / CELL_PX,) * 2; 0 around it."""
    spread = np.zeros((CROP_PX // CELL_PX,) * 2, np.float32)
    rows, columns = (slice(part.start // CELL_PX, part.stop // CELL_PX) for part in REGION)
    size = columns.stop - columns.start, rows.stop - rows.start
    spread[rows, columns] = cv2.resize(places.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return spread


def load_face() -> tuple[FaceModel, Checkpoint]:
    """Return the trained branches, ready to infer, and their description.

    Raises:
        models.checkpoint.CheckpointError: The checkpoint is missing, damaged or of another network.
    """
    described, state = checkpoint.load("face")
    model = FaceModel()
    try:
        model.load_state_dict(state)
    except RuntimeError as exc:
        first = str(exc).splitlines()[0]  # then every name of the state follows
        raise checkpoint.CheckpointError(f"checkpoint 'face' does not fit the network: {first}") from exc
    return model.eval(), described
