"""What a face costs: the demonstration's portrait through finding, aligning, quality, network and window head."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.faces import Detection, FaceTracker, follow
from models.window import PICTURE_RATE_HZ, WINDOW_S, FaceWindow, Pixels
from stream.bench import Cost, Result, require_judged, result, start_anew
from stream.demo import load_portrait
from stream.session import FaceSearch
from stream.windower import FacePicture, FaceWindower

PARTS = {
    "find": "finding faces",
    "crop": "aligning and quality",
    "network": "network",
    "window": "window head",
}


@dataclass(slots=True)
class _FaceCall:
    """One call that shows a face."""

    find: FaceSearch
    finding: Cost
    following: Cost
    tracker: FaceTracker = field(default_factory=FaceTracker)
    windower: FaceWindower = field(default_factory=FaceWindower)

    def look(self, rgb: Pixels, time_s: float) -> list[FaceWindow]:
        """Take a picture; return the windows that it closes."""
        with self.following.spent():
            crops = follow(rgb, time_s, self.tracker, self._found)
        return self.windower.push(FacePicture(time_s=time_s, crops=crops))

    def _found(self, rgb: Pixels, near: Sequence[Detection]) -> tuple[Detection, ...]:
        with self.finding.spent():
            return self.find.find_faces(rgb, near)


def measure(detector: FaceSearch, calls: int, seconds: float) -> Result:
    """Measure the face signal of calls that each show one face, their windows scored together.

    Args:
        detector: Finds faces and scores windows.
        calls: How many go on at a time.
        seconds: Measured of each, after the first window [s].
    """
    portrait = load_portrait()
    pictures = [portrait.picture(i / PICTURE_RATE_HZ, False) for i in range(4 * PICTURE_RATE_HZ)]
    costs = {name: Cost() for name in ("find", "follow", "new", "again")}
    group = [_FaceCall(detector, costs["find"], costs["follow"]) for _ in range(calls)]
    n_before = int(WINDOW_S * PICTURE_RATE_HZ) + 1
    for index in range(n_before + round(seconds * PICTURE_RATE_HZ)):
        if index == n_before:
            start_anew(costs.values())
        windows: list[FaceWindow] = []
        for number, call in enumerate(group):
            windows += call.look(pictures[(index + number) % len(pictures)], index / PICTURE_RATE_HZ)
        _score(detector, windows, costs)
    network = costs["new"].minus(costs["again"])
    parts = (costs["find"], costs["follow"].minus(costs["find"]), network, costs["again"])
    return result(calls, seconds, dict(zip(PARTS, parts, strict=True)))


def _score(detector: FaceSearch, windows: list[FaceWindow], costs: dict[str, Cost]) -> None:
    """Score windows twice: what the network said of a crop is kept, so the second time costs no network."""
    if not windows:
        return
    with costs["new"].spent():
        scores = detector.score(tuple(windows))
    require_judged(scores)
    with costs["again"].spent():
        detector.score(tuple(windows))
