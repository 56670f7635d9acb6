"""Arrays come out of a CTranslate2 file as they went in."""

import struct

import numpy as np
import pytest
import torch

from models import whisper
from models.voice import load_speech_blocks


def packed(arrays: dict[str, np.ndarray]) -> bytes:
    """Write arrays as CTranslate2 does."""

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    data = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(arrays))
    for name, array in arrays.items():
        code = whisper.DTYPES.index(array.dtype.type)
        data += text(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        data += struct.pack("<BI", code, array.nbytes) + array.tobytes()
    return data


def test_arrays_keep_name_shape_and_values() -> None:
    arrays = {"encoder/a": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.array([-3, 4], np.int8)}
    found = whisper.read_ctranslate2(packed(arrays))
    assert list(found) == ["encoder/a", "b"]
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_whole_numbers_are_divided_by_the_scale_of_their_row() -> None:
    arrays = {"encoder/w": np.array([[2, 4], [3, 6]], np.int8), "encoder/w_scale": np.array([2, 3], np.float32)}
    assert whisper._values(arrays, "w").tolist() == [[1, 2], [1, 2]]


def test_another_model_is_refused() -> None:
    with pytest.raises(KeyError, match="encoder/conv1/weight"):
        whisper.load_blocks(packed({"decoder/a": np.zeros(1, np.float32)}))


def test_the_packaged_encoder_tells_sounds_apart() -> None:
    blocks = load_speech_blocks()
    noise = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    tone = torch.sin(torch.arange(16_000) * 0.2)[None]
    with torch.inference_mode():
        rows = blocks(torch.cat([noise, noise * 0.01, tone]))
    assert torch.allclose(rows[0, 3:], rows[1, 3:], rtol=0.05, atol=2.0)
    assert (rows[0, 3:] - rows[2, 3:]).abs().mean() > 10 * (rows[0, 3:] - rows[1, 3:]).abs().mean()
