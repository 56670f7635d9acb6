"""Whisper's encoder out of a CTranslate2 file, as it travels in registry packages: weights of the speech view."""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from models.voice_speech import N_LAYERS, N_TOKENS, SpeechBlocks

# The order of CTranslate2's enumeration of element types.
DTYPES: tuple[Any, ...] = (np.float32, np.int8, np.int16, np.int32, np.float16)

PARTS = {
    "self_attention/linear_0": "query_key_value",
    "self_attention/linear_1": "attention_out",
    "ffn/linear_0": "feed_in",
    "ffn/linear_1": "feed_out",
}
NORMS = {"self_attention/layer_norm": "attention_norm", "ffn/layer_norm": "feed_norm"}

Arrays = dict[str, npt.NDArray[Any]]


class _Reader:
    """Walks through the binary file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, code: str) -> int:
        (value,) = struct.unpack_from("<" + code, self._data, self._at)
        self._at += struct.calcsize(code)
        return int(value)

    def text(self) -> str:
        size = self.number("H")  # counts the closing zero byte
        value = self._data[self._at : self._at + size - 1].decode()
        self._at += size
        return value

    def array(self) -> npt.NDArray[Any]:
        shape = [self.number("I") for _ in range(self.number("B"))]
        dtype = np.dtype(DTYPES[self.number("B")])
        n_bytes = self.number("I")
        values = np.frombuffer(self._data, dtype, n_bytes // dtype.itemsize, self._at).reshape(shape)
        self._at += n_bytes
        return values


def read_ctranslate2(data: bytes) -> Arrays:
    """Return the arrays of a CTranslate2 `model.bin`, by name.

    Source: CTranslate2, python/ctranslate2/specs/model_spec.py, `_serialize`.
    """
    reader = _Reader(data)
    reader.number("I")  # version of the format
    reader.text()  # the model's name
    reader.number("I")  # its revision
    return {reader.text(): reader.array() for _ in range(reader.number("I"))}


def load_blocks(data: bytes) -> SpeechBlocks:
    """Return the speech view's blocks with Whisper's weights, ready to run.

    Args:
        data: A CTranslate2 `model.bin`.

    Raises:
        KeyError: The file is not a Whisper model.
        RuntimeError: It is one of another width.
    """
    arrays = read_ctranslate2(data)
    state = {
        "first.weight": _values(arrays, "conv1/weight"),
        "first.bias": _values(arrays, "conv1/bias"),
        "second.weight": _values(arrays, "conv2/weight"),
        "second.bias": _values(arrays, "conv2/bias"),
        "places": _values(arrays, "position_encodings/encodings")[:N_TOKENS],
    }
    for number in range(N_LAYERS):
        source, target = f"layer_{number}/", f"layers.{number}."
        for theirs, ours in NORMS.items():
            state[f"{target}{ours}.weight"] = _values(arrays, f"{source}{theirs}/gamma")
            state[f"{target}{ours}.bias"] = _values(arrays, f"{source}{theirs}/beta")
        for theirs, ours in PARTS.items():
            state[f"{target}{ours}.weight"] = _values(arrays, f"{source}{theirs}/weight")
            state[f"{target}{ours}.bias"] = _values(arrays, f"{source}{theirs}/bias")
    blocks = SpeechBlocks()
    own = blocks.state_dict()
    blocks.load_state_dict({name: value.reshape(own[name].shape) for name, value in state.items()})
    return blocks.eval()


def _values(arrays: Arrays, name: str) -> torch.Tensor:
    """Return an array as float32; one of 8-bit integers is divided by the scales of its rows."""
    found = arrays[f"encoder/{name}"]
    values = torch.from_numpy(found.astype(np.float32))
    if found.dtype != np.int8:
        return values
    return values / torch.from_numpy(np.asarray(arrays[f"encoder/{name}_scale"], np.float32)).reshape(-1, 1)
