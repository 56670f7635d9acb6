"""The laboratory of pipelines: how traits of a call look when a camera and a microphone made it, and when not.

    python -m models.training.pipeline_lab --data ../shared/data --out pipeline-runs.jsonl

Bona fide pictures are genuine clips, reduced or enlarged to a call's size, with a sensor's noise laid over them; bona
fide sound is genuine speech. Attackers leave that away or do what their tools do. All go through a call's codecs (VP8,
Opus at 48 kHz) and the code that serves. One line of JSON a run; `models.training.pipeline_fit` reads them.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from models.faces import FaceFinder
from models.pipeline_pictures import PictureTraits, luma_of
from models.pipeline_sound import SoundTraits
from models.training.transcode import Channel, Codec, Timed, call_size, decoded, decoded_frames, encoded, full_rate
from models.training.voice_codecs import resample
from models.training.voice_data import decode, read_manifest
from models.traits import Trait
from models.window import SAMPLE_RATE_HZ, Pixels, Samples

SECONDS = 8.0
MIN_RATE_HZ = 20.0
"""Clips with fewer pictures a second were thinned before us."""
OPUS_HZ = 48_000
NARROW_HZ = 11_025


class Maker(StrEnum):
    """Who makes the pictures."""

    BONA_FIDE = "bona_fide"
    REPLAY = "replay"
    """The clip as a file, with a key picture every one or two seconds, played into the call."""
    REENACTMENT = "reenactment"
    """8 to 15 pictures a second are computed, each shown until the next is ready; no sensor's noise."""
    INTERPOLATION = "interpolation"
    """Every second or third picture is computed, those between are blends."""
    STILL_LIPS = "still_lips"
    """One picture, of which the lower face moves."""
    SWAP = "swap"
    """The camera's picture, with the face's noise smoothed away."""


class Voice(StrEnum):
    """Who makes the sound."""

    BONA_FIDE = "bona_fide"
    SPOOF = "spoof"
    """A generated clip of the data, as it is."""
    GATED = "gated"
    """A generated clip whose pauses are digital zero, as streamed text-to-speech leaves them."""
    NARROW = "narrow"
    """A generated clip at 11 kHz, resampled with care."""
    CRUDE = "crude"
    """A generated clip at 8 to 12 kHz, brought to 48 kHz by repeating samples, as cheap virtual microphones do."""


def clip_pictures(path: Path) -> list[Timed]:
    """Return a clip's pictures at the size of a call, played to and fro for `SECONDS`."""
    found = []
    for time_s, rgb in full_rate(path):
        ratio = 640 / max(rgb.shape[:2])
        size = (
            call_size(640, round(640 * rgb.shape[0] / rgb.shape[1]))
            if rgb.shape[1] >= rgb.shape[0]
            else (call_size(round(640 * rgb.shape[1] / rgb.shape[0]), 640))
        )
        how = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
        found.append((time_s, np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8)))
    rate_hz = (len(found) - 1) / max(found[-1][0] - found[0][0], 1e-6)
    if rate_hz < MIN_RATE_HZ or len(found) < 25:
        return []
    there_and_back = [*found, *found[-2:0:-1]]
    return [(i / rate_hz, there_and_back[i % len(there_and_back)][1]) for i in range(round(SECONDS * rate_hz))]


def made(maker: Maker, clip: list[Timed], box: tuple[int, int, int, int], rng: np.random.Generator) -> Iterator[Timed]:
    """Yield the pictures that a maker gives to the call.

    Args:
        maker: Who makes them.
        clip: Pictures of a person, as `clip_pictures` returns them.
        box: Of the face in the first: left, top, width, height [px].
        rng: What is drawn.
    """
    rate_hz = 1 / (clip[1][0] - clip[0][0])
    sigma, seed = rng.uniform(0.8, 3.0), int(rng.integers(1 << 30))
    if maker is Maker.REPLAY:
        gop, kbit_s = round(rate_hz * rng.uniform(1, 2)), int(rng.integers(500, 2000))
        return _replayed(clip, gop, kbit_s)
    if maker is Maker.REENACTMENT:
        every = rate_hz / rng.uniform(8, 15)
        return ((time_s, clip[int(int(i / every) * every)][1]) for i, (time_s, _) in enumerate(clip))
    if maker is Maker.INTERPOLATION:
        return _interpolated(clip, int(rng.integers(2, 4)))
    if maker is Maker.STILL_LIPS:
        return _with_lips(clip, box)
    filmed = _filmed(clip, sigma, seed)
    return filmed if maker is Maker.BONA_FIDE else _swapped(filmed, box)


def _filmed(clip: list[Timed], sigma: float, seed: int) -> Iterator[Timed]:
    """Lay a sensor's noise over a clip: of shots and of reading, slightly smeared by the interpolation of colours."""
    rng = np.random.default_rng(seed)
    height, width = clip[0][1].shape[:2]
    # Drawn once, larger than the picture: every picture gets another part of it.
    noise = sigma * 1.6 * cv2.GaussianBlur(rng.standard_normal((height + 64, width + 64), np.float32), (3, 3), 0.6)
    scale = np.sqrt(0.3 + np.arange(256, dtype=np.float32) / 180)
    for time_s, rgb in clip:
        y, x = rng.integers(64, size=2)
        here = noise[y : y + height, x : x + width] * scale[rgb[:, :, 1]]
        yield time_s, np.clip(rgb + here[:, :, None], 0, 255).astype(np.uint8)


def _replayed(clip: list[Timed], gop: int, kbit_s: int) -> Iterator[Timed]:
    """Encode every stretch between key pictures by itself: each begins with one."""
    for start in range(0, len(clip), gop):
        channel = Channel(codec=Codec.H264, kbit_s=kbit_s)
        yield from decoded(encoded(clip[start : start + gop], channel), Codec.H264)


def _interpolated(clip: list[Timed], every: int) -> Iterator[Timed]:
    for i, (time_s, _) in enumerate(clip):
        first, share = i // every * every, i % every / every
        last = min(first + every, len(clip) - 1)
        blend = cv2.addWeighted(clip[first][1], 1 - share, clip[last][1], share, 0)
        yield time_s, np.asarray(blend, np.uint8)


def _with_lips(clip: list[Timed], box: tuple[int, int, int, int]) -> Iterator[Timed]:
    still, mask = clip[0][1], _oval(clip[0][1], box, lower=True)
    for time_s, rgb in clip:
        yield time_s, (still * (1 - mask) + rgb * mask).astype(np.uint8)


def _swapped(filmed: Iterator[Timed], box: tuple[int, int, int, int]) -> Iterator[Timed]:
    mask = None
    for time_s, rgb in filmed:
        mask = _oval(rgb, box, lower=False) if mask is None else mask
        yield time_s, (rgb * (1 - mask) + cv2.bilateralFilter(rgb, 7, 30, 3) * mask).astype(np.uint8)


def _oval(rgb: Pixels, box: tuple[int, int, int, int], *, lower: bool) -> np.ndarray:
    left, top, width, height = box
    mask = np.zeros(rgb.shape[:2], np.float32)
    centre = left + width // 2, top + height * (3 if lower else 2) // 4
    cv2.ellipse(mask, centre, (width // 3, height // (5 if lower else 2)), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(width / 20, 1)))[:, :, None]


def picture_traits(pictures: Iterator[Timed], kbit_s: int) -> dict[Trait, float]:
    """Return the traits of pictures that came through a call."""
    channel, watched = Channel(codec=Codec.VP8, kbit_s=kbit_s), PictureTraits()
    for time_s, frame in decoded_frames(encoded(pictures, channel), channel.codec):
        plane = frame.planes[0]
        watched.push(time_s, luma_of(memoryview(plane), plane.line_size, frame.width, frame.height))
    return watched.values()


def said(voice: Voice, speech: Samples, rng: np.random.Generator) -> Samples:
    """Return what enters the call, at `OPUS_HZ`."""
    if voice is Voice.GATED:
        size = SAMPLE_RATE_HZ // 50
        frames = speech[: len(speech) // size * size].reshape(-1, size).copy()
        level = np.abs(frames).max(axis=1)
        frames[level < 0.03 * np.percentile(level, 95)] = 0
        frames[: int(rng.integers(15, 40))] = 0  # until the first word is ready
        speech = frames.ravel()
    if voice is Voice.NARROW:
        return resample(resample(speech, SAMPLE_RATE_HZ, NARROW_HZ), NARROW_HZ, OPUS_HZ)
    if voice is Voice.CRUDE:
        rate_hz = int(rng.choice([8_000, 12_000]))
        return np.repeat(resample(speech, SAMPLE_RATE_HZ, rate_hz), OPUS_HZ // rate_hz)
    return resample(speech, SAMPLE_RATE_HZ, OPUS_HZ)


def through_opus(samples: Samples, kbit_s: int) -> Samples:
    """Return sound at `OPUS_HZ` after a call's codec."""
    encoder, decoder = (av.CodecContext.create("libopus", mode) for mode in ("w", "r"))
    assert isinstance(encoder, av.AudioCodecContext)
    assert isinstance(decoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = OPUS_HZ, "s16", "mono"
    encoder.bit_rate, encoder.options = kbit_s * 1000, {"application": "voip"}
    decoder.sample_rate, decoder.layout = OPUS_HZ, "mono"
    heard = []
    packets = []
    size = OPUS_HZ // 50
    for i in range(len(samples) // size):
        whole = (np.clip(samples[i * size : (i + 1) * size], -1, 1) * 32767).round().astype(np.int16)
        frame = av.AudioFrame.from_ndarray(whole[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = OPUS_HZ, i * size, Fraction(1, OPUS_HZ)
        packets += encoder.encode(frame)
    for packet in packets:
        for frame in decoder.decode(packet):
            sound = frame.to_ndarray()
            heard.append(sound.astype(np.float32).ravel() / (32768 if sound.dtype == np.int16 else 1))
    return np.concatenate(heard)


def picture_runs(data: Path, per_source: int, seed: int) -> Iterator[dict[str, object]]:
    """Yield the traits of each maker over genuine clips, some of every source."""
    with (data / "face" / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["kind"], row["label"]) == ("video", "bona_fide")]
    finder, n_of = FaceFinder(), dict[str, int]()
    for index in np.random.default_rng(seed).permutation(len(rows)):
        row = rows[index]
        source = row["source"]
        if n_of.get(source, 0) >= per_source or not (clip := clip_pictures(data / "face" / row["file"])):
            continue
        if not (faces := finder.find(clip[0][1])):
            continue
        n_of[source] = n_of.get(source, 0) + 1
        left, top, width, height = map(int, faces[0].box)
        box = left, top, width, height
        for maker in Maker:
            rng = np.random.default_rng([seed, index, *maker.encode()])
            kbit_s = int(rng.integers(400, 1500))
            yield {
                "signal": "pictures",
                "who": maker,
                "source": source,
                "kbit_s": kbit_s,
                "traits": picture_traits(made(maker, clip, box, rng), kbit_s),
            }


def sound_runs(data: Path, per_source: int, seed: int) -> Iterator[dict[str, object]]:
    """Yield the traits of each voice over clips, some of every source, joined until they are long enough."""
    clips = read_manifest(data / "voice")
    for voice in Voice:
        rng = np.random.default_rng([seed, *voice.encode()])
        by_source: dict[str, list[Path]] = {}
        for index in rng.permutation(len(clips)):
            if clips[index].is_spoof is (voice is not Voice.BONA_FIDE):
                by_source.setdefault(clips[index].source, []).append(clips[index].path)
        for source, paths in by_source.items():
            for run in range(min(per_source, len(paths) // 2)):
                speech = np.concatenate([decode(path) for path in paths[2 * run : 2 * run + 2]])
                kbit_s, watched = int(rng.choice([16, 24, 32])), SoundTraits()
                watched.push(through_opus(said(voice, speech, rng), kbit_s), OPUS_HZ)
                yield {
                    "signal": "sound",
                    "who": voice,
                    "source": source,
                    "kbit_s": kbit_s,
                    "traits": watched.values(),
                }


def main() -> None:
    """Write the runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with face/ and voice/")
    parser.add_argument("--out", type=Path, required=True, help="lines of JSON")
    parser.add_argument("--per-source", type=int, default=2, help="clips of each source")
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    started = time.monotonic()
    with args.out.open("w") as file:
        for runs in (sound_runs, picture_runs):
            for run in runs(args.data, args.per_source, args.seed):
                file.write(json.dumps(run) + "\n")
                file.flush()
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
