"""Visible marks of generators: a name that stands over the pictures by itself, at rest or jumping. Facts, no estimates.

Lines of text of several pictures enter; a mark leaves if the same name is read in enough of them as an overlay: alone
on its line, small, of one size. A caption that mentions a generator has other words beside the name, or stands where
captions stand; a mark of a few pictures only is left out rather than guessed at.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from models.text_reader import Line

NAMES = {
    "sora": "Sora",
    "klingai": "Kling AI",
    "kling": "Kling AI",
    "hailuoai": "Hailuo AI",
    "minimax": "MiniMax",
    "runway": "Runway",
    "pikalabs": "Pika",
    "heygen": "HeyGen",
    "synthesia": "Synthesia",
    "lumaai": "Luma",
    "viduai": "Vidu",
    "pixverse": "PixVerse",
    "veo": "Veo",
}
"""What is read, in small letters without spaces, and whose mark it is."""
LEAST_SHARE = 0.15
"""Of the pictures in which a mark must be read."""
LEAST_PICTURES = 2
"""Of a clip; of a single picture it is that one."""
HEIGHTS = 0.012, 0.13
"""Of a mark, as shares of the picture's height."""
SAME_SIZE = 0.35
"""By how much heights of one mark differ at most."""
BESIDE = 2.0
"""Other text on the same line within so many heights makes it a sentence."""
_CONFUSED = str.maketrans({"0": "o", "5": "s", "1": "l", "|": "l", "q": "o"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A generator's visible mark."""

    generator: str
    pictures: int
    """In which it was read."""
    of: int
    """That were looked at."""
    places: tuple[tuple[float, float], ...]
    """Where its middle was, as shares of width and height."""

    @property
    def jumps(self) -> bool:
        """Whether it was seen in more than one place."""
        xs, ys = [x for x, _ in self.places], [y for _, y in self.places]
        return bool(max(xs) - min(xs) > 0.1 or max(ys) - min(ys) > 0.1)


def find_marks(pictures: Sequence[Sequence[Line]]) -> tuple[Mark, ...]:
    """Return the marks of a clip, the most often read first.

    Args:
        pictures: The lines of each picture that was looked at.
    """
    seen: dict[str, list[Line]] = {}
    for lines in pictures:
        for generator, line in {name: line for line in lines if (name := _name_of(line, lines))}.items():
            seen.setdefault(generator, []).append(line)
    marks = [_mark(generator, lines, len(pictures)) for generator, lines in seen.items()]
    return tuple(sorted(filter(None, marks), key=lambda mark: -mark.pictures))


def _mark(generator: str, lines: Sequence[Line], of: int) -> Mark | None:
    usual = median(line.height for line in lines)
    same = [line for line in lines if abs(line.height - usual) <= SAME_SIZE * usual]
    if len(same) < max(min(LEAST_PICTURES, of), LEAST_SHARE * of):
        return None
    places = tuple((round(line.left + line.width / 2, 2), round(line.top + line.height / 2, 2)) for line in same)
    return Mark(generator=generator, pictures=len(same), of=of, places=places)


def _name_of(line: Line, others: Sequence[Line]) -> str | None:
    """Return whose mark a line may be; None if it is none."""
    if not HEIGHTS[0] <= line.height <= HEIGHTS[1] or _is_caption(line):
        return None
    if any(other is not line and _is_beside(line, other) for other in others):
        return None
    letters = _letters(line.text)
    for name, generator in NAMES.items():
        if letters == name or (len(name) >= 6 and _differ_by_one(letters, name)):
            return generator
        # The icon before the name may be read as a letter.
        if name == "sora" and len(letters) <= 5 and letters.endswith(name) and len(line.text) <= 8:
            return generator
    return None


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_CONFUSED)
    return re.sub(r"[^a-z]", "", plain)


def _is_caption(line: Line) -> bool:
    """Whether a line stands where subtitles stand: in the middle, near the lower edge."""
    middle = line.left + line.width / 2
    return abs(middle - 0.5) < 0.06 and line.top > 0.72


def _is_beside(line: Line, other: Line) -> bool:
    overlap = min(line.top + line.height, other.top + other.height) - max(line.top, other.top)
    if overlap < 0.5 * min(line.height, other.height):
        return False
    gap = max(other.left - line.left - line.width, line.left - other.left - other.width)
    # Heights are shares of the height, gaps of the width: at 16:9 a height is 0.56 of that in width.
    return gap < BESIDE * line.height * 0.5625


def _differ_by_one(a: str, b: str) -> bool:
    """Whether one letter more, less or other makes one word the other."""
    if abs(len(a) - len(b)) > 1:
        return False
    if len(a) > len(b):
        a, b = b, a
    i = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    return a[i + (len(a) == len(b)) :] == b[i + 1 :]
