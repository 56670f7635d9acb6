"""How well the light of a screen is told on faces: reflections drawn over genuine clips, through a call, against none.

    python tests/bench/bench_light.py --clips 40

Each clip is filmed three times: with the reflection of the plan that was shown, without any, and with that of another
plan, as a recording of an earlier check would carry. Exposure follows the mean picture, white balance drifts, the
camera adds noise, VP8 sends 500 kbit/s. Needs ../shared/data. One JSON line for each share of reflected light.
"""

import argparse
import csv
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from models.faces import Detection, FaceFinder, FaceTracker, follow  # noqa: E402  # after the path
from models.light_check import COLOURS, N_STEPS, SECONDS, STEP_S, LightPlan, Tint, read, tint  # noqa: E402
from models.training.transcode import Channel, Codec, full_rate, transcode  # noqa: E402
from models.window import Pixels  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
CHANNEL = Channel(codec=Codec.VP8, kbit_s=500)
RATE_HZ = 10.0
BEFORE_S, AFTER_S = 1.0, 3.5
SIZE = (640, 480)


def clips(n: int, seed: int) -> list[tuple[str, Path]]:
    """Return genuine clips with their sources, drawn evenly over the sources."""
    with (DATA / "face" / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["kind"], row["label"]) == ("video", "bona_fide")]
    random.Random(seed).shuffle(rows)
    by_source: dict[str, list[Path]] = {}
    for row in rows:
        by_source.setdefault(row["source"], []).append(DATA / "face" / row["file"])
    found = [
        (source, paths[i])
        for i in range(max(map(len, by_source.values())))
        for source, paths in by_source.items()
        if i < len(paths)
    ]
    return found[:n]


def pictures(path: Path) -> list[Pixels]:
    """Return a clip's pictures at `RATE_HZ`, played to and fro for as long as a check lasts."""
    found, next_s = [], 0.0
    for time_s, rgb in full_rate(path):
        if time_s >= next_s:
            found.append(cv2.resize(rgb, SIZE, interpolation=cv2.INTER_AREA))
            next_s += 1 / RATE_HZ
        if len(found) >= (BEFORE_S + SECONDS + AFTER_S) * RATE_HZ:
            break
    n = round((BEFORE_S + SECONDS + AFTER_S) * RATE_HZ)
    there_and_back = found + found[-2:0:-1] if len(found) > 2 else found
    return [there_and_back[i % len(there_and_back)] for i in range(n)]


def filmed(
    shown: list[Pixels], plan: LightPlan | None, share: float, rng: np.random.Generator, finder: FaceFinder
) -> Iterator[tuple[float, Pixels]]:
    """Yield what the camera sees of somebody before a screen that shows a plan."""
    colours = np.array(COLOURS, np.float64)
    colours = colours / colours.mean()
    latency_s = float(rng.uniform(0.3, 2.0))
    gain, balance, drift = 1.0, np.ones(3), rng.normal(0, 0.004, 3)
    target, face = None, None
    for i, rgb in enumerate(shown):
        time_s = i / RATE_HZ
        faces = finder.find(rgb, (face,) if face else ())
        face = faces[0] if faces else None
        lit = rgb.astype(np.float64)
        step = int(np.floor((time_s - BEFORE_S - latency_s) / STEP_S))
        if plan is not None and face is not None and 0 <= step < N_STEPS:
            lit *= 1 + share * colours[plan.colours[step]] * _mask(face)[..., None]
        mean = float(lit.mean())
        target = target or mean
        gain += 0.25 * (target / max(mean * gain, 1e-6) - 1) * gain  # auto-exposure, a few pictures late
        balance *= 1 + drift / RATE_HZ  # white balance that wanders
        yield time_s, np.clip(lit * gain * balance + rng.normal(0, 2.0, lit.shape), 0, 255).astype(np.uint8)


def _mask(face: Detection) -> np.ndarray:
    left, top, wide, high = face.box
    mask = np.zeros(SIZE[::-1], np.float32)
    middle = int(left + wide / 2), int(top + high / 2)
    cv2.ellipse(mask, middle, (int(0.6 * wide), int(0.65 * high)), 0, 0, 360, 1.0, -1)
    return cv2.GaussianBlur(mask, (0, 0), max(wide / 8, 2))


def tints(media: Iterator[tuple[float, Pixels]], finder: FaceFinder) -> list[Tint]:
    """Return the tints that the service would take of a call."""
    tracker, found = FaceTracker(), list[Tint]()
    for time_s, rgb in transcode(media, CHANNEL):
        for crop in follow(rgb, time_s, tracker, finder.find)[:1]:
            one = tint(rgb, crop)
            found += [one] if one else []
    return found


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the area under the curve."""
    return float((positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean())


def main() -> None:
    """Print one JSON line for each share."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--shares", type=float, nargs="*", default=[0.02])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="Where each statistic is written, for a calibration")
    given = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("../shared/data is not there: nothing is measured")
    finder, rows = FaceFinder(), []
    for i, (source, path) in enumerate(clips(given.clips, given.seed)):
        shown = pictures(path)
        plan, other = LightPlan.draw(random.Random(given.seed * 1000 + i)), LightPlan.draw(random.Random(-i - 1))
        for share in given.shares:
            for kind, lit in (("shown", plan), ("none", None), ("other", other)):
                rng = np.random.default_rng([given.seed, i, len(kind)])
                found = tints(filmed(shown, lit, share, rng, finder), finder)
                reading = read(plan, found, BEFORE_S)
                if reading is not None:
                    rows.append(
                        {
                            "source": source,
                            "share": share,
                            "kind": kind,
                            "statistic": reading.statistic,
                            "latency_s": reading.latency_s,
                        }
                    )
                    if given.out:
                        given.out.write_text("\n".join(map(json.dumps, rows)) + "\n")
    for share in given.shares:
        print(json.dumps(summary([row for row in rows if row["share"] == share], share)))


def summary(rows: list[dict[str, object]], share: float) -> dict[str, object]:
    """Return the AUCs with their 95 % interval over sources."""
    sources = sorted({str(row["source"]) for row in rows})
    rng, draws = np.random.default_rng(0), []

    def values(kind: str, chosen: list[str]) -> np.ndarray:
        return np.array([row["statistic"] for s in chosen for row in rows if (row["kind"], row["source"]) == (kind, s)])

    for _ in range(500):
        chosen = list(rng.choice(sources, len(sources)))
        if len(values("shown", chosen)) and len(values("none", chosen)):
            draws.append(auc(values("shown", chosen), values("none", chosen)))
    against = {kind: round(auc(values("shown", sources), values(kind, sources)), 3) for kind in ("none", "other")}
    low, high = np.quantile(draws, [0.025, 0.975])
    return {
        "share": share,
        "clips": len(values("shown", sources)),
        "sources": len(sources),
        "auc": against,
        "interval": [round(low, 3), round(high, 3)],
    }


if __name__ == "__main__":
    main()
