"""Longer speech than any clip holds: clips of one page and one system, said one after the other."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from models.training.voice_scores import LeftOut
from models.window import WINDOW_S

LENGTHS_S = (4, 10, 30)


def sums(clips: Sequence[LeftOut], seconds: int, of_s: int | None = None) -> list[tuple[float, LeftOut]]:
    """Return the mean score of stretches of so many seconds, each with a clip that says whose they are.

    Clips follow each other within one source, system and, where the page names it, speaker. A stretch holds as many
    whole windows as fit: one of 4 s, two of 10 s, seven of 30 s. With `of_s` the same windows are cut from stretches of
    that length, so that figures of several lengths compare.

    Args:
        clips: Scored by models trained without them, all in one condition.
        seconds: How much sound a score may rest on [s].
        of_s: Only groups that hold this much are used [s].
    """
    groups: dict[tuple[str, str, str], list[LeftOut]] = defaultdict(list)
    for clip in clips:
        groups[clip.source, clip.attack, clip.speaker].append(clip)
    n_of, n_each = (int(length_s / WINDOW_S) for length_s in (of_s or seconds, seconds))
    found = []
    for _, own in sorted(groups.items()):
        windows = [(clip.raws[len(clip.raws) // 2], clip) for clip in own]
        whole = len(windows) - len(windows) % n_of
        for start in range(0, whole, n_of):
            for first in range(start, start + n_of - n_each + 1, n_each):
                part = windows[first : first + n_each]
                found.append((float(np.mean([raw for raw, _ in part])), part[0][1]))
    return found
