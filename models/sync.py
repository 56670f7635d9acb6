"""The sync signal: a mouth beside the sound of the same four seconds, one raw score out, up = they belong together.

Mouth and sound are each projected into a small common space, where they vary together when a person speaks. Sound and
pictures reach us with delays of their own, so the best of the offsets that a call may have is taken. Neither the level
of the sound, nor the light on the face, nor who speaks enters: both sides lose their mean over the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models import checkpoint
from models.checkpoint import Checkpoint
from models.quality import MIN_SHARPNESS
from models.voice_quality import MAX_LOST, MIN_SPEECH_S
from models.window import (
    SAMPLE_RATE_HZ,
    WINDOW_PICTURES,
    WINDOW_SAMPLES,
    FaceCrop,
    Landmarks,
    Pixels,
    Reason,
    Samples,
    SyncWindow,
)

Array = npt.NDArray[np.float32]

CHECKPOINT = "sync"

# The mouth: from below the nose to the chin, at a third of the crop's resolution, centred between the mouth's corners.
LOWER_TOP, LOWER_LEFT, LOWER_PX = 100, 56, 112
PATCH_HEIGHT, PATCH_WIDTH, PATCH_SCALE = 20, 24, 3
MOUTH_AT = (12, 7)
MIN_CONTRAST = 8.0
"""Added to a patch's contrast, so that noise on an even surface does not grow into motion [grey levels]."""
PX_UNIT = 2.0
"""Motion of a landmark that weighs as much as a pixel's change by the whole contrast [px]."""
N_MOUTH = PATCH_HEIGHT * PATCH_WIDTH + 2

# The sound: mel bands every 10 ms, averaged over 80 ms, at seven places around a picture's time.
FRAME_HZ = 100
FRAME_SAMPLES, N_FFT = 400, 512
N_BANDS, LOW_HZ, HIGH_HZ = 20, 100.0, 7_000.0
FLOOR = 1e-4
SMOOTH_FRAMES = 8
TAP_FRAMES = (-24, -16, -8, 0, 8, 16, 24)
N_SOUND = N_BANDS * len(TAP_FRAMES)

LAGS_S = np.arange(-25, 26) * 0.04
"""Offsets that are tried, positive: the sound comes late [s]."""
NEAR_S = 0.3
"""What the jitter buffers of a genuine call may put between sound and pictures [s]."""
FAR_S = 0.45
"""From here on an offset is what chance finds [s]."""
LAG_PRIOR_S = 0.15
N_FEATURES = 3

MIN_CROPS = 10
"""Two seconds of mouth."""
MIN_FACE_PX = 48.0
MIN_MOUTH_PX = 20.0
"""Between the mouth's corners in a crop: less than half of a frontal mouth is a profile [px]."""
MIN_MOTION = 0.05
"""Least motion of a speaking mouth; a frozen picture has 0."""

assert SAMPLE_RATE_HZ % FRAME_HZ == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReading:
    """What a window says."""

    raw: float
    """Up = mouth and sound belong together."""
    offset_s: float
    """Where they fit best among the offsets of a genuine call, positive: the sound comes late [s]."""
    correlation: float
    """How well they fit there, -1..1."""


class SyncNet(nn.Module):
    """Canonical components of mouth and sound, and a logistic head over how they agree.

    Args:
        n_components: Dimensions of the common space.
    """

    strength: torch.Tensor
    lags: torch.Tensor

    def __init__(self, n_components: int = 3) -> None:
        super().__init__()
        self.mouth = nn.Linear(N_MOUTH, n_components, bias=False)
        self.sound = nn.Linear(N_SOUND, n_components, bias=False)
        self.head = nn.Linear(N_FEATURES, 1)
        self.register_buffer("strength", torch.full((n_components,), 0.5))  # canonical correlations, below 1
        self.register_buffer("lags", torch.from_numpy(LAGS_S).float(), persistent=False)

    def forward(self, mouths: torch.Tensor, times_s: torch.Tensor, sound: torch.Tensor) -> torch.Tensor:
        """Return raw score, offset [s] and correlation, shape (3,).

        Args:
            mouths: From `mouths_of`, shape (T, N_MOUTH), T at least 2.
            times_s: Their times since the window's start, shape (T,) [s].
            sound: From `sound_contexts`, shape (F, N_SOUND).
        """
        features, offset_s, correlation = self.compare(mouths, times_s, sound)
        return torch.stack([self.head(features)[0], offset_s, correlation])

    def compare(
        self, mouths: torch.Tensor, times_s: torch.Tensor, sound: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return features (N_FEATURES,), best near offset and its correlation; arguments as `forward`."""
        seen = self.mouth(mouths)  # (T, K)
        seen = seen - seen.mean(dim=0)
        frames = torch.round((times_s + self.lags[:, None]) * FRAME_HZ).long().clamp(0, len(sound) - 1)  # (L, T)
        heard = self.sound(sound)[frames]  # (L, T, K)
        heard = heard - heard.mean(dim=1, keepdim=True)
        correlation = self._correlation(seen, heard)  # (L,)
        near = self.lags.abs() <= NEAR_S + 1e-6
        best, place = torch.where(near, correlation, -2.0).max(dim=0)
        rest = torch.where(self.lags.abs() > FAR_S, correlation, -2.0).max()
        return torch.stack([best, best - rest, self._likelihood(seen, heard)]), self.lags[place], best

    def _correlation(self, seen: torch.Tensor, heard: torch.Tensor) -> torch.Tensor:
        """Return how mouth and sound go together over all components, by their strength, shape (L,)."""
        common = (seen * heard * self.strength).sum(dim=(1, 2))
        power = (seen.square() * self.strength).sum() * (heard.square() * self.strength).sum(dim=(1, 2))
        return common / (power.sqrt() + 1e-9)

    def _likelihood(self, seen: torch.Tensor, heard: torch.Tensor) -> torch.Tensor:
        """Return log p(pairs given one speaker) - log p(pairs given two), were all of it Gaussian; () [nat]."""
        r = self.strength
        pairs = r * seen * heard - 0.5 * r.square() * (seen.square() + heard.square())  # (L, T, K)
        each = pairs / (1 - r.square()) - 0.5 * torch.log(1 - r.square())
        # More pictures than a call's say the same again: they count as many as a window of a call holds.
        total = each.sum(dim=(1, 2)) * min(1.0, WINDOW_PICTURES / len(seen))  # (L,)
        prior = -0.5 * (self.lags / LAG_PRIOR_S).square()
        return torch.logsumexp(total + prior, dim=0) - torch.logsumexp(prior, dim=0)


def lower_face(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Return the grey part of a crop that holds any mouth, shape (LOWER_PX, LOWER_PX)."""
    part = pixels[LOWER_TOP : LOWER_TOP + LOWER_PX, LOWER_LEFT : LOWER_LEFT + LOWER_PX]
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY), np.uint8)


def mouths_of(lower: npt.NDArray[np.uint8], landmarks: Array) -> Array:
    """Return what the mouth does in each picture of a window, without what it is like, shape (T, N_MOUTH).

    Args:
        lower: From `lower_face`, shape (T, LOWER_PX, LOWER_PX).
        landmarks: Of the crops, shape (T, 5, 2).
    """
    patches = np.stack([_patch(part, points) for part, points in zip(lower, landmarks, strict=True)])
    mean = patches.mean(axis=0)
    down, wide = landmarks[:, 3:, 1].mean(axis=1) - landmarks[:, 2, 1], landmarks[:, 4, 0] - landmarks[:, 3, 0]
    place = np.stack([down, wide], axis=1)  # (T, 2)
    return np.hstack([(patches - mean) / (mean.std() + MIN_CONTRAST), (place - place.mean(axis=0)) / PX_UNIT]).astype(
        np.float32
    )


def _patch(lower: npt.NDArray[np.uint8], landmarks: Landmarks) -> Array:
    x, y = landmarks[3:].mean(axis=0) - (LOWER_LEFT, LOWER_TOP)
    matrix = np.array([[1, 0, MOUTH_AT[0] * PATCH_SCALE - x], [0, 1, MOUTH_AT[1] * PATCH_SCALE - y]]) / PATCH_SCALE
    even = cv2.GaussianBlur(lower, (0, 0), 1.2)
    size = (PATCH_WIDTH, PATCH_HEIGHT)
    patch = cv2.warpAffine(even, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(patch, np.float32).ravel()


def sound_contexts(samples: Samples) -> Array:
    """Return the sound around every 10 ms, without its level and static colour, shape (F, N_SOUND).

    Args:
        samples: Shape (S,), any level.
    """
    before = FRAME_SAMPLES // 2
    padded = np.pad(samples, (before, FRAME_SAMPLES - before))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[:: SAMPLE_RATE_HZ // FRAME_HZ]
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME_SAMPLES), N_FFT)) ** 2 @ _mel_bands().T  # (F, N_BANDS)
    log = np.log(power / max(power.mean(), 1e-20) + FLOOR)
    log -= log.mean(axis=0)
    edges = np.pad(log, ((SMOOTH_FRAMES // 2, SMOOTH_FRAMES // 2 - 1), (0, 0)))
    smooth = np.lib.stride_tricks.sliding_window_view(edges, SMOOTH_FRAMES, axis=0).mean(axis=2)  # (F, N_BANDS)
    around = np.clip(np.arange(len(smooth))[:, None] + TAP_FRAMES, 0, len(smooth) - 1)  # (F, taps)
    return np.asarray(smooth[around].reshape(len(smooth), -1), np.float32)


@lru_cache(maxsize=1)
def _mel_bands() -> npt.NDArray[np.float64]:
    """Return triangular bands, evenly spread on the mel scale, shape (N_BANDS, N_FFT / 2 + 1)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOW_HZ, HIGH_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, N_BANDS + 2) / 2595) - 1)
    hz = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE_HZ)
    rise = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    return np.asarray(np.maximum(np.minimum(rise, fall), 0.0))


def gate(window: SyncWindow, speech_s: float) -> Reason | None:
    """Return why a window must not be judged, None if it may.

    Args:
        window: The window, with what it lost.
        speech_s: Speech in it, from `models.voice_activity` [s].
    """
    if not window.n_pictures or window.n_lost > MAX_LOST * WINDOW_SAMPLES:
        return Reason.LOST
    if speech_s < MIN_SPEECH_S:
        return Reason.SILENCE
    return _face_reason(window.crops)


def _face_reason(crops: Sequence[FaceCrop]) -> Reason | None:
    if len(crops) < MIN_CROPS:
        return Reason.NO_FACE
    if np.median([crop.face_px for crop in crops]) < MIN_FACE_PX:
        return Reason.SMALL_FACE
    if np.median([crop.sharpness for crop in crops]) < MIN_SHARPNESS:
        return Reason.BLURRED
    width_px = float(np.median([crop.landmarks[4, 0] - crop.landmarks[3, 0] for crop in crops]))
    if width_px < MIN_MOUTH_PX or motion(window_mouths(crops)) < MIN_MOTION:
        return Reason.NO_MOUTH
    return None


def motion(mouths: Array) -> float:
    """Return how much a mouth changes over a window, in units of its contrast.

    Args:
        mouths: From `mouths_of`, shape (T, N_MOUTH).
    """
    return float(np.sqrt(np.mean(mouths[:, :-2] ** 2)))


def window_mouths(crops: Sequence[FaceCrop]) -> Array:
    """Return `mouths_of` a window's crops."""
    lower = np.stack([lower_face(crop.pixels) for crop in crops])
    return mouths_of(lower, np.stack([crop.landmarks for crop in crops]))


def read_window(net: SyncNet, window: SyncWindow) -> SyncReading:
    """Compare mouth and sound of a window that passed `gate`."""
    times_s = torch.tensor([crop.time_s - window.start_s for crop in window.crops])
    mouths, sound = torch.from_numpy(window_mouths(window.crops)), torch.from_numpy(sound_contexts(window.samples))
    with torch.inference_mode():
        raw, offset_s, correlation = net(mouths, times_s, sound).tolist()
    return SyncReading(raw=raw, offset_s=offset_s, correlation=correlation)


def load_sync() -> tuple[SyncNet, Checkpoint]:
    """Return the trained comparison and its description.

    Raises:
        models.checkpoint.CheckpointError: The checkpoint is missing, damaged or of another shape.
    """
    described, state = checkpoint.load(CHECKPOINT)
    try:
        net = SyncNet(**described.module)
        net.load_state_dict(state)
    except (TypeError, RuntimeError) as exc:
        raise checkpoint.CheckpointError(f"checkpoint {CHECKPOINT!r} does not fit SyncNet: {exc}") from exc
    return net.eval(), described
