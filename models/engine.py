"""Runs a net on what the machine has: torch on CUDA; on the CPU OpenVINO where installed, else torch channels_last.

A net takes one array with the batch first and gives one number, or one row of numbers, for each of its rows. Runners
may be called from several threads at a time; each call uses one core.
"""

import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models import weights

Runner = Callable[[npt.NDArray[Any]], npt.NDArray[np.float32]]
"""Maps inputs (B, ...) to outputs (B,) or (B, D)."""

DeviceChoice = Literal["auto", "cpu", "cuda"]


class Engine:
    """Where nets run.

    Args:
        device: "auto" takes CUDA when there is one. "cuda" without one is an error.
        workers: Batches that may run at a time on the CPU; on CUDA one worker feeds the device.

    Raises:
        RuntimeError: CUDA was asked for and is not there.
    """

    def __init__(self, device: DeviceChoice = "auto", workers: int = 1) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError("device is 'cuda', but torch sees no CUDA device: use 'auto' or 'cpu'")
        self._on_cuda = device != "cpu" and torch.cuda.is_available()
        self._openvino = None if self._on_cuda else _openvino_core()
        self._has_bf16 = self._openvino is not None and "BF16" in self._openvino.get_property(
            "CPU", "OPTIMIZATION_CAPABILITIES"
        )
        self.workers = 1 if self._on_cuda else workers
        # One intra-op thread a worker: two on a contended machine collapsed from 31 to 108-310 ms (MEDIA.md 4).
        torch.set_num_threads(1)

    @property
    def name(self) -> str:
        """The device and runtime, for logs and /metrics."""
        if self._on_cuda:
            return f"cuda:{torch.cuda.get_device_name()}"
        if self._openvino is None:
            return "cpu:torch"
        return "cpu:openvino-bf16" if self._has_bf16 else "cpu:openvino"

    def load(self, net: nn.Module, example: torch.Tensor, digest: str, *, is_exact: bool = False) -> Runner:
        """Make a runner of a net.

        Args:
            net: Gives one number, or one row of numbers, for each row of its input.
            example: Shows that input, shape (B, ...).
            digest: Of the net's weights: what is converted for one start is kept for the next.
            is_exact: Never use bf16, which moves this net's scores by more than can be borne.
        """
        net = net.eval()
        if self._on_cuda:
            return _torch_runner(net.to("cuda"), torch.device("cuda"))
        if self._openvino is not None:
            model = _converted(self._openvino, net, example, digest)
            return _openvino_runner(self._openvino, model, "bf16" if self._has_bf16 and not is_exact else "f32")
        channels_last = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch omits it
        return _torch_runner(channels_last, torch.device("cpu"))


def _torch_runner(net: nn.Module, device: torch.device) -> Runner:
    def run(rows: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            scores: torch.Tensor = net(torch.from_numpy(rows).to(device, non_blocking=True))
        return scores.float().cpu().numpy()

    return run


def _openvino_core() -> Any | None:
    try:
        import openvino
    except ImportError:
        return None
    return openvino.Core()


def _converted(core: Any, net: nn.Module, example: torch.Tensor, digest: str) -> Any:
    """Return the net as an OpenVINO model, converted (six seconds on a busy core) or as it was kept."""
    import openvino

    kept = weights.folder() / f"{type(net).__name__}-{digest}-{openvino.__version__.split('-')[0]}.xml"
    if kept.is_file() and kept.with_suffix(".bin").is_file():
        return core.read_model(kept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit.trace, which OpenVINO still calls
        model = openvino.convert_model(net, example_input=example, input=[-1, *example.shape[1:]])
    kept.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=kept.parent) as folder:
        openvino.save_model(model, Path(folder) / kept.name, compress_to_fp16=False)
        # The description last: it is what a next start looks for.
        for suffix in (".bin", ".xml"):
            os.replace(Path(folder) / kept.with_suffix(suffix).name, kept.with_suffix(suffix))
    return model


def _openvino_runner(core: Any, model: Any, precision: str) -> Runner:
    hints = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
    }
    local = threading.local()

    def run(rows: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        # A compiled model of its own for each thread: requests of one model share its single stream and would wait.
        if not hasattr(local, "request"):
            local.request = core.compile_model(model, "CPU", hints).create_infer_request()
        result: npt.NDArray[np.float32] = local.request.infer([rows])[0]
        return np.array(result, np.float32)

    return run
