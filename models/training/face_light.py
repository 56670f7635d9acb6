"""Light and cameras that make a bona fide face hard to judge: dark rooms, blown highlights, webcams, screens.

Each class is what is drawn once for a clip; its `apply` is a function of one picture, its time and these draws alone.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from models.preprocess import face_px
from models.window import Landmarks, Pixels

Rng = np.random.Generator
Floats = npt.NDArray[np.float32]

DISPLAY_GAMMA = 2.2
GRAIN_MARGIN_PX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LowLight:
    """A dark room: little light, the noise of its photons and of the sensor, lifted; a denoiser that smears motion."""

    exposure: float
    """Light that is left, of 1; linear."""
    lift: float
    """How much of the loss the camera's gain makes good, 0..1; it lifts the noise with it."""
    shot: float
    """Standard deviation of full light's photon noise, of full scale; it goes with the root of the light."""
    read: float
    """Standard deviation of the sensor's own noise, of full scale."""
    smear_s: float
    """Time constant of the temporal denoiser [s]."""
    seed: int

    @classmethod
    def draw(cls, rng: Rng) -> "LowLight":
        return cls(
            exposure=float(rng.uniform(0.03, 0.15)),
            lift=float(rng.uniform(0.2, 0.7)),
            shot=float(rng.uniform(0.008, 0.025)),
            read=float(rng.uniform(0.0008, 0.003)),
            smear_s=float(rng.uniform(0.04, 0.15)),
            seed=int(rng.integers(2**31)),
        )

    def apply(self, rgb: Pixels, landmarks: Landmarks | None, time_s: float) -> Pixels:
        """Return a picture before the denoiser."""
        level, sigma = _dark_tables(self)
        rng = np.random.default_rng((self.seed, round(time_s * 1000)))
        y, x = rng.integers(0, GRAIN_MARGIN_PX, 2)
        grain = _grain(self.seed, *rgb.shape[:2])[y : y + rgb.shape[0], x : x + rgb.shape[1]]
        return _clipped(cv2.LUT(rgb, level) + cv2.LUT(rgb, sigma) * grain)

    def smeared(self, before: Pixels, now: Pixels, gap_s: float) -> Pixels:
        """Return the denoised picture: what changed little is averaged with the last one, hence ghosts and smear."""
        stay = float(np.exp(-gap_s / self.smear_s))
        return np.asarray(cv2.addWeighted(before, stay, now, 1 - stay, 0), np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverExposed:
    """Too much light from one side: highlights without detail that bloom into their surroundings."""

    gain: float
    far: float
    """Share of the gain that is left on the side away from the light."""
    angle: float
    """Where the light stands [rad]."""
    bloom: float

    @classmethod
    def draw(cls, rng: Rng) -> "OverExposed":
        return cls(
            gain=float(rng.uniform(1.5, 2.4)),
            far=float(rng.uniform(0.55, 0.9)),
            angle=float(rng.uniform(0, 2 * np.pi)),
            bloom=float(rng.uniform(0.1, 0.5)),
        )

    def apply(self, rgb: Pixels, landmarks: Landmarks | None, time_s: float) -> Pixels:
        """Return a picture that is over-exposed."""
        bright = cv2.multiply(rgb, _slope(self, *rgb.shape[:2]), dtype=cv2.CV_32F)
        small = max(1, rgb.shape[1] // 8), max(1, rgb.shape[0] // 8)
        over = np.maximum(cv2.resize(bright, small, interpolation=cv2.INTER_AREA) - 255, 0)
        glow = cv2.resize(cv2.GaussianBlur(over, (0, 0), 3), rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return _clipped(bright + self.bloom * glow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webcam:
    """A cheap camera: a colour cast, pale or gaudy colours, and an automatic exposure that pumps."""

    gains: tuple[float, float, float]
    saturation: float
    pump: float
    """How far the exposure swings to either side, of 1."""
    period_s: float
    phase: float
    """[rad]"""

    @classmethod
    def draw(cls, rng: Rng) -> "Webcam":
        warm = float(rng.choice([-1, 1]) * rng.uniform(0.06, 0.22))
        return cls(
            gains=(1 + warm, 1 + float(rng.normal(0, 0.05)), 1 - warm),
            saturation=float(rng.uniform(0.45, 1.4)),
            pump=float(rng.uniform(0.08, 0.3)),
            period_s=float(rng.uniform(1.5, 6.0)),
            phase=float(rng.uniform(0, 2 * np.pi)),
        )

    def apply(self, rgb: Pixels, landmarks: Landmarks | None, time_s: float) -> Pixels:
        """Return a picture as that camera gives it."""
        swing = 1 + self.pump * np.sin(2 * np.pi * time_s / self.period_s + self.phase)
        ramp = np.arange(256)[:, None] * np.array(self.gains) * swing
        lit = cv2.LUT(rgb, np.clip(ramp, 0, 255).astype(np.uint8)[None])
        grey = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return np.asarray(cv2.addWeighted(lit, self.saturation, grey, 1 - self.saturation, 0), np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenLight:
    """A dim room and a screen before the face whose pictures change: coloured light that jumps."""

    ambient: float
    """Light of the room, of 1."""
    strength: float
    """Light of a white screen on the face, of 1."""
    hold_s: float
    """How long the screen shows one picture [s]."""
    reach: float
    """How far the light reaches, in faces."""
    seed: int

    @classmethod
    def draw(cls, rng: Rng) -> "ScreenLight":
        return cls(
            ambient=float(rng.uniform(0.35, 0.7)),
            strength=float(rng.uniform(0.4, 0.9)),
            hold_s=float(rng.uniform(0.2, 1.2)),
            reach=float(rng.uniform(0.8, 2.0)),
            seed=int(rng.integers(2**31)),
        )

    def apply(self, rgb: Pixels, landmarks: Landmarks | None, time_s: float) -> Pixels:
        """Return a picture in that light; without landmarks the light falls on the picture's middle."""
        height, width = rgb.shape[:2]
        centre = (width / 2, height / 2) if landmarks is None else landmarks.mean(axis=0)
        size = self.reach * (height / 2 if landmarks is None else max(1.0, 2 * face_px(landmarks)))
        near = [np.exp(-(((np.arange(n) - c) / size) ** 2)) for n, c in ((height, centre[1]), (width, centre[0]))]
        near_lit = (near[0][:, None] * near[1])[..., None].astype(np.float32)  # (H, W, 1)
        return _clipped(rgb * (np.float32(self.ambient) + near_lit * self._colour(time_s)))

    def _colour(self, time_s: float) -> Floats:
        shown = int(time_s // self.hold_s)
        rng = np.random.default_rng((self.seed, shown))
        return (self.strength * rng.uniform(0.1, 1.0) * rng.uniform(0.5, 1.0, 3)).astype(np.float32)


@lru_cache(maxsize=4)
def _dark_tables(look: LowLight) -> tuple[Floats, Floats]:
    """Return for each value what is left of it and the standard deviation of its noise, shape (256,) each."""
    light = (np.arange(256) / 255) ** DISPLAY_GAMMA * look.exposure
    gain = look.exposure**-look.lift
    noise = np.sqrt(look.shot**2 * light + look.read**2)
    level = _shown(light * gain)
    # The display's curve is endlessly steep at black; a step as wide as the noise is what the noise really sees.
    sigma = (_shown((light + noise) * gain) - _shown(np.maximum(light - noise, 0) * gain)) / 2
    return level.astype(np.float32), np.minimum(sigma, 30).astype(np.float32)


def _shown(light: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.minimum(light, 1) ** (1 / DISPLAY_GAMMA) * 255


@lru_cache(maxsize=2)
def _grain(seed: int, height: int, width: int) -> Floats:
    """Return unit noise somewhat larger than a picture, to be cut out at changing places: drawing it costs 20 ms.

    Colour noise is coarser than brightness noise, for a camera knows a colour from four pixels.
    """
    rng = np.random.default_rng(seed)
    shape = height + GRAIN_MARGIN_PX, width + GRAIN_MARGIN_PX
    colour = cv2.GaussianBlur(rng.standard_normal((*shape, 3), np.float32), (0, 0), 1.2) * 4
    return 0.75 * rng.standard_normal((*shape, 1), np.float32) + 0.65 * np.asarray(colour, np.float32)


@lru_cache(maxsize=2)
def _slope(look: OverExposed, height: int, width: int) -> Floats:
    """Return the gain at each place, shape (H, W, 3)."""
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    along = 0.5 + 0.5 * np.clip(x * np.cos(look.angle) + y * np.sin(look.angle), -1, 1)
    gain = (look.gain * (look.far + (1 - look.far) * along)).astype(np.float32)
    return np.repeat(gain[..., None], 3, axis=2)


def _clipped(values: npt.ArrayLike) -> Pixels:
    return np.clip(values, 0, 255).astype(np.uint8)
