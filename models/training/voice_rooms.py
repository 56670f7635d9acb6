"""Rooms between a mouth and a microphone, and a loudspeaker that says somebody's words again in one."""

import numpy as np
import numpy.typing as npt

from models.training.voice_noises import coloured, mixed
from models.window import SAMPLE_RATE_HZ, Samples

SOUND_M_PER_S = 343.0
IMAGE_ORDER = 10
"""Walls that an image lies behind, along each axis, at most; what comes later is noise that decays."""
LONGEST_S = 1.0
"""Of a response [s]."""
FINER = 4
"""Images arrive between samples: they are laid on a grid so much finer, then its upper bands are cut."""

Response = npt.NDArray[np.float64]


def decaying_noise(rng: np.random.Generator) -> Response:
    """Return a room as noise that decays by 60 dB within 0.1 to 0.7 s behind the direct sound."""
    decay_s = rng.uniform(0.1, 0.7)
    tail = rng.standard_normal(int(decay_s * SAMPLE_RATE_HZ))
    tail *= np.exp(-6.9 * np.arange(tail.size) / tail.size)
    tail *= rng.uniform(0.2, 1.2) / np.linalg.norm(tail)
    tail[0] = 1.0
    return tail


def shoebox(rng: np.random.Generator) -> Response:
    """Return the response of a box-shaped room, its direct sound at sample 0 with height 1.

    Images up to IMAGE_ORDER, then noise that goes on at their level with the decay of Eyring's formula.

    Source: Allen and Berkley 1979, the image method.
    """
    size_m = rng.uniform([2.2, 2.0, 2.2], [9.0, 7.0, 3.6])
    reflects = np.sqrt(1.0 - rng.uniform(0.15, 0.8) * rng.uniform(0.6, 1.0, (2, 3)))  # (both walls, axes)
    microphone_m = rng.uniform(0.2, 0.8, 3) * size_m
    away = rng.standard_normal(3)
    away *= np.exp(rng.uniform(np.log(0.25), np.log(2.5))) / np.linalg.norm(away)
    mouth_m = np.clip(microphone_m + away, 0.05 * size_m, 0.95 * size_m)
    distance_m, gain = _images(size_m, reflects, microphone_m, mouth_m)
    direct_m = np.linalg.norm(mouth_m - microphone_m)
    at = np.round((distance_m - direct_m) / SOUND_M_PER_S * SAMPLE_RATE_HZ * FINER).astype(np.int64)
    decay_s = _decay_s(size_m, reflects)
    n_samples = int(np.clip(decay_s, 0.15, LONGEST_S) * SAMPLE_RATE_HZ) // 2 * 2
    heard = (at >= 0) & (at < n_samples * FINER)
    fine = np.bincount(at[heard], gain[heard] * direct_m / distance_m[heard], n_samples * FINER)
    response = np.fft.irfft(np.fft.rfft(fine)[: n_samples // 2 + 1], n_samples)
    complete = int(IMAGE_ORDER * size_m.min() / SOUND_M_PER_S * SAMPLE_RATE_HZ)
    return _with_tail(response / response[0], complete, decay_s, rng)


def reverberant(sound: Samples, response: Response) -> Samples:
    """Return the sound in a room, same length and in step."""
    return convolved(sound, response)


def replayed(sound: Samples, response: Response, rng: np.random.Generator) -> Samples:
    """Return the sound from a small loudspeaker, in a room, before another microphone; same length and in step."""
    spectrum = np.fft.rfft(sound)
    at_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, spectrum.size)
    low_hz, high_hz = rng.uniform(150.0, 300.0), rng.uniform(5_000.0, 7_500.0)
    curve_db = -12.0 * np.maximum(np.log2(low_hz / np.maximum(at_hz, 20.0)), 0.0)
    curve_db -= 24.0 * np.maximum(np.log2(np.maximum(at_hz, 20.0) / high_hz), 0.0)
    for _ in range(int(rng.integers(2, 6))):
        centre_hz, octaves = np.exp(rng.uniform(np.log(300.0), np.log(5_000.0))), rng.uniform(0.08, 0.4)
        distance = np.log2(np.maximum(at_hz, 20.0) / centre_hz) / octaves
        curve_db += rng.uniform(-8.0, 8.0) * np.exp(-(distance**2))
    cone = np.fft.irfft(spectrum * 10 ** (curve_db / 20), sound.size)
    drive = rng.uniform(0.3, 2.0) / (np.abs(cone).max() + 1e-6)
    loud = np.tanh(cone * drive) / drive
    heard = convolved(loud.astype(np.float32), response)
    return mixed(heard, coloured(sound.size, rng), rng.uniform(20.0, 45.0))


def convolved(sound: Samples, kernel: Response) -> Samples:
    """Return the start of a linear convolution, as long as the sound."""
    # Not a power of two, which may be twice as much; a multiple of one is as fast.
    size = sound.size + kernel.size + -(sound.size + kernel.size) % 4_096
    product = np.fft.rfft(sound, size) * np.fft.rfft(kernel, size)
    return np.fft.irfft(product, size)[: sound.size].astype(np.float32)


def _images(
    size_m: Response, reflects: Response, microphone_m: Response, mouth_m: Response
) -> tuple[Response, Response]:
    """Return the distance [m] of every image of the mouth and what its walls leave of it, both (N,)."""
    number = np.arange(-IMAGE_ORDER, IMAGE_ORDER + 1)
    apart, left = [], []
    for axis in range(3):
        # Image k lies in the k-th copy of the room; odd copies are mirrored.
        place = number * size_m[axis] + np.where(number % 2, size_m[axis] - mouth_m[axis], mouth_m[axis])
        apart.append((place - microphone_m[axis]) ** 2)
        first, second = (np.abs(number) + 1) // 2, np.abs(number) // 2
        near, far = np.where(number > 0, second, first), np.where(number > 0, first, second)
        left.append(reflects[0, axis] ** near * reflects[1, axis] ** far)
    squared = apart[0][:, None, None] + apart[1][:, None] + apart[2]
    gain = left[0][:, None, None] * left[1][:, None] * left[2]
    return np.sqrt(squared).ravel(), gain.ravel()


def _decay_s(size_m: Response, reflects: Response) -> float:
    """Return the time in which sound falls by 60 dB [s], by Eyring's formula."""
    walls_m2 = size_m.prod() / size_m  # of one wall across each axis
    absorbed = float(((1.0 - reflects**2) * walls_m2).sum() / (2.0 * walls_m2.sum()))
    return float(0.161 * size_m.prod() / (-2.0 * walls_m2.sum() * np.log(1.0 - absorbed)))


def _with_tail(response: Response, complete: int, decay_s: float, rng: np.random.Generator) -> Response:
    """Return the response with noise in place of what comes after its last complete sample."""
    n_late = response.size - complete
    if n_late <= 0:
        return response
    level = np.sqrt(np.mean(response[complete - SAMPLE_RATE_HZ // 100 : complete] ** 2))
    fall = np.exp(-6.9 * np.arange(n_late) / (decay_s * SAMPLE_RATE_HZ))
    return np.concatenate([response[:complete], level * fall * rng.standard_normal(n_late)])
