"""The face network: one aligned crop in, a logit and its map over the face out, up = bona fide.

Pixels enter as they leave `models.preprocess.align_face`; scaling and normalisation live inside the module, so that
every engine (torch, OpenVINO, CUDA) runs the same arithmetic. Calibration is not applied here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from models import checkpoint
from models.checkpoint import Checkpoint

# Repeats, kernel, stride, expansion, channels of the stages of EfficientNet-Lite0.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192))
LAST_STAGE = (1, 3, 1, 6, 320)
STEM, HEAD = 32, 1280
MEAN, STD = 127.0, 128.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameReading:
    """What the network says of one crop."""

    logit: float
    """Up = bona fide."""
    places: npt.NDArray[np.float32]
    """The logit of each place of the crop, shape (h, w), rows from the top; their mean is `logit`."""


class FaceNet(nn.Module):
    """EfficientNet-Lite0 whose every place gives a logit; their mean is the crop's.

    No squeeze-and-excitation and no swish, hence cheap and the same on every engine.

    Args:
        input_px: Side that crops are scaled to, a multiple of 32: cost and detail grow with its square.

    Source:
        Tan and Le 2019, https://arxiv.org/abs/1905.11946; padding and normalisation as in its TensorFlow Lite form.
    """

    def __init__(self, input_px: int = 160) -> None:
        super().__init__()
        if input_px % 32:
            raise ValueError(f"input_px is {input_px}, must be a multiple of 32: the padding counts on even sizes")
        self.input_px = input_px
        layers: list[nn.Module] = [Conv(3, STEM, kernel=3, stride=2)]
        channels = STEM
        for repeats, kernel, stride, expansion, out in (*STAGES, LAST_STAGE):
            for index in range(repeats):
                layers.append(Block(channels, out, kernel, stride if index == 0 else 1, expansion))
                channels = out
        layers.append(Conv(channels, HEAD, kernel=1))
        self.layers = nn.Sequential(*layers)
        self.classify = nn.Linear(HEAD, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the logit of each crop and of each of its places, up = bona fide.

        Args:
            pixels: uint8, shape (N, CROP_PX, CROP_PX, 3), RGB.

        Returns:
            float32, shape (N, 1 + h * w): the crop's logit, then those of its places by rows, h = w = input_px / 32.
        """
        x = pixels.permute(0, 3, 1, 2).float()  # (N, 3, H, W), channels last in memory
        side = [self.input_px, self.input_px]
        x = functional.interpolate(x, size=side, mode="bilinear", align_corners=False)
        x = self.layers((x - MEAN) / STD)  # (N, HEAD, H / 32, W / 32)
        places = self.classify(x.permute(0, 2, 3, 1)).flatten(1)  # (N, h * w)
        return torch.cat([places.mean(dim=1, keepdim=True), places], dim=1)


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


def frame_reading(row: npt.NDArray[np.float32]) -> FrameReading:
    """Return what one row of the network's output says."""
    side = round((len(row) - 1) ** 0.5)
    return FrameReading(logit=float(row[0]), places=row[1:].reshape(side, side))


def window_raw(frame_logits: npt.NDArray[np.floating[Any]]) -> float:
    """Pool the logits of a window's crops into its raw score: their mean.

    Args:
        frame_logits: Shape (T,), T at least 1, from `FaceNet`.
    """
    return float(np.mean(frame_logits))


def load_face() -> tuple[FaceNet, Checkpoint]:
    """Return the trained network, ready to infer, and its description.

    Raises:
        models.checkpoint.CheckpointError: The checkpoint is missing, damaged or of another network.
    """
    described, state = checkpoint.load("face")
    try:
        net = FaceNet(**described.module)
        net.load_state_dict(state)
    except (TypeError, RuntimeError) as exc:
        raise checkpoint.CheckpointError(f"checkpoint 'face' does not fit the network: {exc}") from exc
    return net.eval(), described
