"""A trained model on disk: `NAME.safetensors` beside `NAME.json`, which says how to rebuild, trust and read it.

The JSON names the module's settings, the window it was trained on, the calibration, the recipe, the manifest's hash
and the measured figures. A file whose digest does not match is refused before any of it is used.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from models.calibration import UNCALIBRATED, Calibration

CHECKPOINTS = Path(__file__).parent / "checkpoints"


class CheckpointError(RuntimeError):
    """A checkpoint is missing, damaged or of another kind than what is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What `NAME.json` holds; the weights stand beside it."""

    name: str
    module: dict[str, Any]
    """Keyword arguments of the network's constructor."""
    recipe: str
    seed: int
    manifest_sha256: str
    minutes: float
    """Wall-clock time of the training [min]."""
    metrics: dict[str, Any]
    calibration: Calibration = UNCALIBRATED
    """Of a window's raw score by itself."""
    telephone: Calibration | None = None
    """Of a window's raw score where the sound came over a telephone line; None: `calibration` serves."""
    long: dict[str, Calibration] = field(default_factory=dict)
    """By seconds of speech: of the mean llr of the windows of so much speech."""
    weights_sha256: str = ""

    def calibration_of(self, *, is_telephone: bool) -> Calibration:
        """Return the map of a window's raw score for its class of channel."""
        return self.telephone if is_telephone and self.telephone is not None else self.calibration

    @property
    def digest(self) -> str:
        """The first 12 digits of the weights' SHA-256: what alerts and logs name the model by."""
        return self.weights_sha256[:12]


def save(checkpoint: Checkpoint, state: dict[str, torch.Tensor], folder: Path = CHECKPOINTS) -> Checkpoint:
    """Write weights and description; return the description with the weights' digest filled in.

    Args:
        checkpoint: The description; its `weights_sha256` is replaced.
        state: The network's `state_dict()`.
        folder: Where both files go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = save_tensors({name: tensor.contiguous() for name, tensor in state.items()})
    fields = asdict(checkpoint) | {"weights_sha256": hashlib.sha256(data).hexdigest()}
    (folder / f"{checkpoint.name}.safetensors").write_bytes(data)
    (folder / f"{checkpoint.name}.json").write_text(json.dumps(fields, indent=2, sort_keys=True) + "\n")
    return _parse(fields)


def load(name: str, folder: Path = CHECKPOINTS) -> tuple[Checkpoint, dict[str, torch.Tensor]]:
    """Read a checkpoint and its weights.

    Raises:
        CheckpointError: A file is missing or unreadable, or the weights are not the ones the JSON names.
    """
    try:
        checkpoint = _parse(json.loads((folder / f"{name}.json").read_text()))
        data = (folder / f"{name}.safetensors").read_bytes()
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise CheckpointError(f"cannot read checkpoint {name!r} in {folder}: {exc}") from exc
    found = hashlib.sha256(data).hexdigest()
    if found != checkpoint.weights_sha256:
        raise CheckpointError(
            f"{folder / name}.safetensors has SHA-256 {found[:12]}..., "
            f"{name}.json names {checkpoint.weights_sha256[:12]}...: restore the file"
        )
    return checkpoint, load_tensors(data)


def _parse(fields: dict[str, Any]) -> Checkpoint:
    telephone = fields.get("telephone")
    long = {seconds: _map(found) for seconds, found in fields.get("long", {}).items()}
    calibration = _map(fields["calibration"])
    return Checkpoint(
        **(fields | {"calibration": calibration, "telephone": _map(telephone) if telephone else None, "long": long})
    )


def _map(fields: dict[str, Any]) -> Calibration:
    return Calibration(raws=tuple(fields["raws"]), llrs=tuple(fields["llrs"]))
