"""How often a generator's visible mark is found, and how often one is found where there is none.

    python tests/bench/bench_marks.py --clips 200

Marks are drawn over moving pictures in several sizes, places, strengths and blurs, then sent through H.264 at 480p and
400 kbit/s, as a messenger would; as many clips carry captions, subtitles that name a generator, and channels' logos.
With ../shared/data beside the sources its clips are what is drawn over, otherwise pictures that move by code. Needs
Pillow and matplotlib's fonts. One JSON line is printed.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from models.text_reader import TextReader  # noqa: E402  # after the path
from models.visible_marks import find_marks  # noqa: E402
from models.window import Pixels  # noqa: E402

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
DATA = ROOT.parent / "shared" / "data" / "face" / "clips"
N_PICTURES = 12
SIDES = ((854, 480), (480, 854), (640, 480))
PLACES = ((0.06, 0.12), (0.75, 0.45), (0.08, 0.78), (0.72, 0.8), (0.7, 0.1), (0.1, 0.5))
CAPTIONS = (
    "he used Sora to make this",
    "Sora is two years old",
    "my name is Sora Tanaka",
    "BREAKING NEWS",
    "made in Sorano, Italy",
    "kling film festival 2025",
    "RUNWAY SHOW PARIS",
    "the runway is closed",
    "Channel 7 LIVE",
    "Sora kata: episode 4",
)
LOGOS = ("NTV", "24KZ", "SORATV", "Qazaqstan", "EURONEWS", "Mir 24", "Soraya", "VEON", "Klingon", "PIKABU")


def scenes(rng: np.random.Generator, size: tuple[int, int]) -> Iterator[Pixels]:
    """Yield moving pictures: of a clip if there are some, else of colours and shapes."""
    files = sorted(DATA.glob("*.mp4")) if DATA.is_dir() else []
    found: list[Pixels] = []
    if files:
        with av.open(str(files[rng.integers(len(files))])) as container:
            for frame in container.decode(video=0):
                found.append(cv2.resize(frame.to_ndarray(format="rgb24"), size))
                if len(found) >= 3 * N_PICTURES:
                    break
    if not found:
        base = cv2.resize(rng.integers(0, 255, (9, 16, 3), np.uint8), (size[0] + 80, size[1]))
        found = [base[:, 4 * i : 4 * i + size[0]] for i in range(N_PICTURES)]
    step = max(len(found) // N_PICTURES, 1)
    for i in range(N_PICTURES):
        yield np.ascontiguousarray(found[min(i * step, len(found) - 1)])


def write(
    picture: Pixels, text: str, place: tuple[float, float], px: int, alpha: float, *, icon: bool = False
) -> Pixels:
    """Return the picture with words over it, as an overlay is drawn."""
    image = Image.fromarray(picture).convert("RGBA")
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    font = ImageFont.truetype(str(FONTS / "DejaVuSans-Bold.ttf"), px)
    x, y = place[0] * image.width, place[1] * image.height
    colour = (255, 255, 255, round(255 * alpha))
    if icon:
        for dx, dy, r in ((0.0, 0.3, 0.35), (0.4, 0.1, 0.4), (0.8, 0.3, 0.35)):
            at = x + dx * px, y + (0.25 + dy) * px
            draw.ellipse((at[0], at[1], at[0] + 2 * r * px, at[1] + 1.4 * r * px), fill=colour)
        x += 1.8 * px
    draw.text((x, y), text, font=font, fill=colour, stroke_width=0)
    return np.asarray(Image.alpha_composite(image, layer).convert("RGB"))


def recompressed(pictures: Sequence[Pixels], bit_rate: int = 400_000) -> list[Pixels]:
    """Return what a messenger leaves of pictures."""
    out = BytesIO()
    height, width = pictures[0].shape[:2]
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = (
            width // 2 * 2,
            height // 2 * 2,
            "yuv420p",
            bit_rate,
        )
        n = 0
        for picture in pictures:
            for _ in range(25):
                frame = av.VideoFrame.from_ndarray(picture[: height // 2 * 2, : width // 2 * 2], format="rgb24")
                frame.pts, frame.time_base = n, Fraction(1, 25)
                container.mux(stream.encode(frame))
                n += 1
        container.mux(stream.encode(None))
    out.seek(0)
    with av.open(out) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return frames[12::25]


def marked(rng: np.random.Generator) -> list[Pixels]:
    """Return the pictures of a clip with Sora's mark, which jumps every few seconds."""
    size = SIDES[rng.integers(len(SIDES))]
    px, alpha = int(min(size) * rng.uniform(0.04, 0.08)), rng.uniform(0.55, 0.95)
    blur, order = rng.integers(0, 2), rng.permutation(len(PLACES))
    pictures = []
    for i, picture in enumerate(scenes(rng, size)):
        drawn = write(picture, "Sora", PLACES[order[i // 3 % len(order)]], px, alpha, icon=True)
        pictures.append(cv2.GaussianBlur(drawn, (3, 3), 0) if blur else drawn)
    return recompressed(pictures)


def unmarked(rng: np.random.Generator) -> list[Pixels]:
    """Return the pictures of a clip with captions and a logo, and no mark."""
    size = SIDES[rng.integers(len(SIDES))]
    px = int(min(size) * rng.uniform(0.04, 0.06))
    logo, captions = LOGOS[rng.integers(len(LOGOS))], rng.permutation(len(CAPTIONS))
    pictures = []
    for i, picture in enumerate(scenes(rng, size)):
        caption = CAPTIONS[captions[i // 4 % len(captions)]]
        drawn = write(picture, caption, (max(0.5 - 0.3 * len(caption) * px / size[0], 0.02), 0.86), px, 1.0)
        pictures.append(write(drawn, logo, (0.8, 0.05), px, 0.8))
    return recompressed(pictures)


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng, reader, took_s = np.random.default_rng(given.seed), TextReader(threads=2), 0.0
    hits = false = 0
    for i in range(2 * given.clips):
        pictures = marked(rng) if i % 2 == 0 else unmarked(rng)
        began_s = time.perf_counter()
        marks = find_marks([reader.read(picture) for picture in pictures])
        took_s += time.perf_counter() - began_s
        hits += i % 2 == 0 and any(mark.generator == "Sora" for mark in marks)
        false += i % 2 == 1 and bool(marks)
    found = {"clips": given.clips, "found": round(hits / given.clips, 3), "false": round(false / given.clips, 3)}
    print(json.dumps({**found, "seconds_a_clip": round(took_s / (2 * given.clips), 2), "real_clips": DATA.is_dir()}))


if __name__ == "__main__":
    main()
