"""The face's embedding: an aligned face in, 128 numbers of length one out, near each other for one person.

The weights are dlib's, which their author gave to the public domain; they are fetched from a package and never stored
here. dlib keeps a network as a stream of layers with the tensors between: these are read, nothing is executed.
"""

import re
from math import prod

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from models.checkpoint import CheckpointError
from models.preprocess import similarity
from models.weights import ensure
from models.window import FaceCrop, Landmarks, Pixels

CHIP_PX = 150
EMBEDDING = 128
MEAN_RGB, SCALE = (122.782, 117.001, 104.298), 256.0
TEMPLATE: Landmarks = np.array([[47.5, 46.6], [100.5, 46.6], [74.0, 76.6], [50.4, 103.0], [97.6, 103.0]], np.float32)
"""Where dlib's mean face has the landmarks in a chip with a quarter of padding."""
STAGES = ((32, 32, 32), (-64, 64, 64, 64), (-128, 128, 128), (-256, 256, 256), (-256,))
"""Channels of the residual blocks; a negative one halves the picture."""
LAYER = re.compile(rb"con_4|affine_|fc_2")
"""Names of the layers that have parameters, as dlib writes them."""

Array = npt.NDArray[np.float32]


class Residual(nn.Module):
    """Two convolutions beside the way round them; a smaller or shorter side of the sum is filled up with zeros."""

    def __init__(self, channels: int, out: int, *, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        self.first = nn.Conv2d(channels, out, 3, stride=2 if halve else 1, padding=0 if halve else 1)
        self.second = nn.Conv2d(out, out, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.second(functional.relu(self.first(x)))
        if self.halve:
            x = functional.avg_pool2d(x, 2)
        height, width = max(x.shape[2], y.shape[2]), max(x.shape[3], y.shape[3])
        x = functional.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, y.shape[1] - x.shape[1]))
        y = functional.pad(y, (0, width - y.shape[3], 0, height - y.shape[2]))
        return functional.relu(x + y)


class FaceIdNet(nn.Module):
    """dlib's face recognition network: 29 convolutions, each with the gain and offset that follow it folded in.

    Source:
        dlib_face_recognition_resnet_model_v1; King 2017, davisking/dlib-models.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, STAGES[0][0], 7, stride=2)
        blocks, channels = [], STAGES[0][0]
        for out in (out for stage in STAGES for out in stage):
            blocks.append(Residual(channels, abs(out), halve=out < 0))
            channels = abs(out)
        self.blocks = nn.Sequential(*blocks)
        self.out = nn.Linear(channels, EMBEDDING, bias=False)

    def forward(self, chips: torch.Tensor) -> torch.Tensor:
        """Return the embedding of each face, shape (B, EMBEDDING), each of length one.

        Args:
            chips: uint8 RGB from `chip`, shape (B, CHIP_PX, CHIP_PX, 3).
        """
        x = ((chips.float() - torch.tensor(MEAN_RGB)) / SCALE).permute(0, 3, 1, 2)  # (B, 3, H, W)
        x = functional.max_pool2d(functional.relu(self.first(x)), 3, 2)
        return functional.normalize(self.out(self.blocks(x).mean(dim=(2, 3))), dim=1)


def chip(crop: FaceCrop) -> Pixels:
    """Return the face as dlib's network expects it, shape (CHIP_PX, CHIP_PX, 3)."""
    size = (CHIP_PX, CHIP_PX)
    placed = cv2.warpAffine(crop.pixels, similarity(crop.landmarks, TEMPLATE), size, flags=cv2.INTER_LINEAR)
    return np.asarray(placed, np.uint8)


def load_face_id() -> FaceIdNet:
    """Return the network with the packaged weights.

    Raises:
        models.weights.WeightsError: The package cannot be had.
        models.checkpoint.CheckpointError: Its file holds another network.
    """
    net = FaceIdNet()
    convs = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    found = tensors(ensure("dlib_face").read_bytes())
    if len(found) != 2 * len(convs) + 1:
        raise CheckpointError(f"the packaged face weights hold {len(found)} tensors, expected {2 * len(convs) + 1}")
    try:
        with torch.no_grad():
            for conv, packed, affine in zip(convs, found[:-1:2], found[1:-1:2], strict=True):
                gain, offset = torch.from_numpy(affine).reshape(2, conv.out_channels)
                kernel, bias = torch.from_numpy(packed).tensor_split([conv.weight.numel()])
                conv.weight.copy_(kernel.reshape(conv.weight.shape) * gain[:, None, None, None])
                assert conv.bias is not None
                conv.bias.copy_(bias * gain + offset)
            net.out.weight.copy_(torch.from_numpy(found[-1]).reshape(net.out.in_features, EMBEDDING).T)
    except (RuntimeError, ValueError) as exc:
        raise CheckpointError(f"the packaged face weights do not fit: {exc}") from exc
    return net.eval()


def tensors(data: bytes) -> list[Array]:
    """Return the parameters of a dlib network's layers, flat, from its input to its output.

    A layer begins with its name; its parameters follow as a tensor: a version, four integers (samples, channels, rows,
    columns) and that many floats, little-endian. All that stands between them is passed over.

    Raises:
        ValueError: A tensor goes beyond the end of the data.
    """
    found, place = [], 0
    while (layer := LAYER.search(data, place)) is not None:
        place = layer.end()
        for _ in range(2 if layer[0] == b"fc_2" else 0):  # numbers of outputs and inputs come first
            _, place = _integer(data, place)
        _, place = _integer(data, place)
        sizes = []
        for _ in range(4):
            size, place = _integer(data, place)
            sizes.append(size)
        n = prod(sizes)
        found.append(np.frombuffer(data, "<f4", n, place).astype(np.float32))
        place += 4 * n
    return found


def _integer(data: bytes, place: int) -> tuple[int, int]:
    """Return dlib's integer at a place, and where it ends: a length, then so many bytes."""
    n = data[place] & 0x0F
    return int.from_bytes(data[place + 1 : place + 1 + n], "little"), place + 1 + n
