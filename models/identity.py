"""Who is heard and seen, compared with a reference or with the same call's start. Nobody is named or looked up.

Speech pieces and face crops enter, embeddings leave; of two sets of them a log-likelihood ratio of one person against
two, up = the same person. A clone of a voice and a swapped face are made to pass as their target: that two recordings
agree says nothing of whether either is genuine, only that they disagree says something.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models import quality
from models.calibration import Calibration
from models.checkpoint import CHECKPOINTS, CheckpointError
from models.drift import Drift, Piece, Vector, mean_of, seconds_of
from models.drift import Identity as Identity
from models.face_id_net import FaceIdNet, chip, load_face_id
from models.speaker_net import SpeakerNet, load_speaker
from models.speech_pieces import SpeechPiece
from models.window import PICTURE_RATE_HZ, FaceCrop, Reason

CHECKPOINT = "identity"
AT_ONCE = 16
CROPS_A_PIECE, READ_A_PIECE = 5, 2
"""One second of face, of which the pictures that are turned away least are read: the rest would add cost alone."""


DRIFT_S = {Identity.VOICE: 3.0, Identity.FACE: 2.0}
"""What drift compares at once [s]."""
MIN_S = {Identity.VOICE: 2.4, Identity.FACE: 1.0}
"""Speech or face below which two recordings are not compared [s]."""
TOO_LITTLE = {Identity.VOICE: Reason.SILENCE, Identity.FACE: Reason.NO_FACE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrations:
    """From cosines to the llr of one person, for one way to tell people apart."""

    by_seconds: Mapping[float, Calibration]
    """Of a reference against a caller who was heard or seen for at least so long [s]."""
    drift: Calibration
    """Of the newest seconds of a track against all before."""

    def of(self, seconds: float) -> Calibration:
        """Return the map for so many seconds of the caller: that of the longest time which is not longer."""
        known = [length for length in self.by_seconds if length <= seconds]
        return self.by_seconds[max(known, default=min(self.by_seconds))]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """The person that a caller is compared with."""

    identity: Identity
    vector: Vector
    """Mean embedding, of length one, shape (D,)."""
    seconds: float
    """Speech or face that it was taken from [s]."""

    @classmethod
    def of(cls, identity: Identity, pieces: Sequence[Piece]) -> "Reference | None":
        """Return the reference of a recording's pieces; None where they hold less than `MIN_S`."""
        seconds = seconds_of(pieces)
        if seconds < MIN_S[identity]:
            return None
        return cls(identity=identity, vector=mean_of(pieces), seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How far a caller is from a reference."""

    llr: float | None
    """Log-likelihood ratio of one person against two, up = one [nat]; None where it cannot be said."""
    cosine: float | None
    reason: Reason | None
    """Why `llr` is None; None otherwise."""
    reference_s: float
    caller_s: float


class IdentityModel:
    """Embeds voices and faces. Loads each network when it is first needed; threads may share one.

    Args:
        folder: Where `identity.json` is.

    Raises:
        CheckpointError: The calibrations are missing or damaged; later: a packaged network is another one.
        models.weights.WeightsError: Later: a package cannot be had.
    """

    def __init__(self, folder: Path = CHECKPOINTS) -> None:
        self.calibrations = load_calibrations(folder)
        self._lock = threading.Lock()
        self._speaker: SpeakerNet | None = None
        self._face: FaceIdNet | None = None

    def voice(self, pieces: Sequence[SpeechPiece]) -> list[Piece]:
        """Return what each piece of speech is like, in order."""
        if not pieces:
            return []
        with self._lock:
            net = self._speaker = self._speaker or load_speaker()
        return embed_voice(net, pieces)

    def face(self, crops: Sequence[FaceCrop]) -> list[Piece]:
        """Return what a face is like, a second at a time; crops that cannot be judged are left out.

        Args:
            crops: Of one track, by time. Fewer than `CROPS_A_PIECE` at the end are not used.
        """
        usable = quality.usable(crops)
        if len(usable) < CROPS_A_PIECE:
            return []
        with self._lock:
            net = self._face = self._face or load_face_id()
        return embed_face(net, usable)

    def compare(self, reference: Reference, pieces: Sequence[Piece]) -> Comparison:
        """Say how far a caller is from a reference, by all that was heard or seen of them."""
        caller_s = seconds_of(pieces)
        if caller_s < MIN_S[reference.identity]:
            reason = TOO_LITTLE[reference.identity]
            return Comparison(llr=None, cosine=None, reason=reason, reference_s=reference.seconds, caller_s=caller_s)
        cosine = float(reference.vector @ mean_of(pieces))
        llr = self.calibrations[reference.identity].of(caller_s).llr(cosine)
        return Comparison(llr=llr, cosine=cosine, reason=None, reference_s=reference.seconds, caller_s=caller_s)

    def drift(self, identity: Identity) -> Drift:
        """Return what watches one new track."""
        return Drift(self.calibrations[identity].drift, DRIFT_S[identity])


def embed_voice(net: SpeakerNet, pieces: Sequence[SpeechPiece]) -> list[Piece]:
    """Return what each piece of speech is like, in order."""
    vectors = _run(net, [piece.samples for piece in pieces])
    return [
        Piece(vector=vector, start_s=piece.start_s, end_s=piece.end_s, new_s=piece.new_s)
        for piece, vector in zip(pieces, vectors, strict=True)
    ]


def embed_face(net: FaceIdNet, crops: Sequence[FaceCrop]) -> list[Piece]:
    """Return what a face is like, `CROPS_A_PIECE` crops at a time; fewer at the end are not used."""
    groups = [crops[i : i + CROPS_A_PIECE] for i in range(0, len(crops) - CROPS_A_PIECE + 1, CROPS_A_PIECE)]
    read = [crop for group in groups for crop in sorted(group, key=_turned)[:READ_A_PIECE]]
    vectors = _run(net, [chip(crop) for crop in read])
    means = [np.mean(vectors[i : i + READ_A_PIECE], axis=0) for i in range(0, len(vectors), READ_A_PIECE)]
    return [
        Piece(
            vector=mean / np.float32(np.linalg.norm(mean)),
            start_s=group[0].time_s,
            end_s=group[-1].time_s,
            new_s=CROPS_A_PIECE / PICTURE_RATE_HZ,
        )
        for group, mean in zip(groups, means, strict=True)
    ]


def load_calibrations(folder: Path = CHECKPOINTS) -> dict[Identity, Calibrations]:
    """Read `identity.json`.

    Raises:
        CheckpointError: It is missing or damaged.
    """
    path = folder / f"{CHECKPOINT}.json"
    try:
        fields = json.loads(path.read_text())["calibrations"]
        return {identity: _calibrations(fields[identity.value]) for identity in Identity}
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise CheckpointError(f"cannot read the calibrations in {path}: {exc}") from exc


def _calibrations(fields: dict[str, Any]) -> Calibrations:
    lengths = {float(seconds): _calibration(one) for seconds, one in fields["by_seconds"].items()}
    if not lengths:
        raise ValueError("no length of a caller is calibrated")
    return Calibrations(by_seconds=lengths, drift=_calibration(fields["drift"]))


def _calibration(fields: dict[str, Any]) -> Calibration:
    return Calibration(raws=tuple(fields["raws"]), llrs=tuple(fields["llrs"]))


def _run(net: nn.Module, inputs: Sequence[npt.NDArray[Any]]) -> list[Vector]:
    """Return the embeddings of equal inputs, each of shape (D,)."""
    found: list[Vector] = []
    with torch.inference_mode():
        for start in range(0, len(inputs), AT_ONCE):
            found += list(net(torch.from_numpy(np.stack(inputs[start : start + AT_ONCE]))).numpy())
    return found


def _turned(crop: FaceCrop) -> float:
    return abs(crop.yaw_deg)
