"""How well the light of a screen is told on faces: reflections laid over genuine clips, filmed, through a call.

    python tests/bench/bench_light.py --half fit --tints fit.jsonl --out rows.jsonl   # challenge_fit --light rows.jsonl
    python tests/bench/bench_light.py --half report --tints report.jsonl

Each clip is filmed three times: with the reflection of the plan that was shown, without any, and with that of another
plan, as a recording of an earlier check would carry. Light adds up linearly (a gamma of 2): on the skin a share of its
own brightness, behind it a tenth of that. Exposure follows the mean picture within half a second, an automatic white
balance goes half of the way to grey within two and wanders, the sensor adds noise, VP8 sends 500 kbit/s at the clip's
own rate. Sources are in one half each: whatever was chosen, and the calibration, saw the fit half alone. Interrupted,
it goes on with the clip where it was. Needs ../shared/data. One JSON line for each share of reflected light.
"""

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from random import Random

import cv2
import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from models.faces import Detection, FaceFinder, FaceTracker, follow  # noqa: E402  # after the path
from models.light_check import MIN_PICTURES, Tint, read, tint  # noqa: E402
from models.light_plan import LIGHT, N_STEPS, SECONDS, STEP_S, LightPlan  # noqa: E402
from models.training.transcode import Channel, Codec, full_rate, transcode  # noqa: E402
from models.window import Pixels  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
CHANNEL = Channel(codec=Codec.VP8, kbit_s=500)
BEFORE_S, AFTER_S = 1.0, 3.2
SIZE = (640, 480)
MIN_RATE_HZ = 20.0
CLIPS_A_SOURCE = 1
BEHIND = 0.1
"""What reaches the wall behind, of what reaches the face."""
EXPOSURE_S, BALANCE_S, BALANCE_SHARE = 0.5, 2.0, 0.5
KINDS = ("shown", "none", "other")

Array = npt.NDArray[np.float32]


def clips(half: str, seed: int) -> list[tuple[str, Path]]:
    """Return genuine clips of one half of the sources, with their source."""
    with (DATA / "face" / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["kind"], row["label"]) == ("video", "bona_fide")]
    Random(seed).shuffle(rows)
    by_source: dict[str, list[Path]] = {}
    for row in rows:
        if (hashlib.sha256(row["source"].encode()).digest()[0] % 2 == 0) == (half == "fit"):
            by_source.setdefault(row["source"], []).append(DATA / "face" / row["file"])
    return [(source, path) for source, paths in by_source.items() for path in paths[:CLIPS_A_SOURCE]]


def pictures(path: Path) -> list[tuple[float, Pixels]]:
    """Return a clip's pictures at its own rate, played to and fro for as long as a check lasts; none if it is slow."""
    found = [(time_s, cv2.resize(rgb, SIZE, interpolation=cv2.INTER_AREA)) for time_s, rgb in full_rate(path)]
    rate_hz = (len(found) - 1) / max(found[-1][0] - found[0][0], 1e-6)
    if rate_hz < MIN_RATE_HZ or len(found) < MIN_PICTURES:
        return []
    there_and_back = [rgb for _, rgb in (found + found[-2:0:-1])]
    n = round((BEFORE_S + SECONDS + AFTER_S) * rate_hz)
    return [(i / rate_hz, there_and_back[i % len(there_and_back)]) for i in range(n)]


def places(clip: list[tuple[float, Pixels]], finder: FaceFinder) -> list[Detection | None]:
    """Return where the face is in each picture, found in every third."""
    face, found = None, list[Detection | None]()
    for i, (_, rgb) in enumerate(clip):
        if i % 3 == 0:
            faces = finder.find(rgb, (face,) if face else ())
            face = faces[0] if faces else None
        found.append(face)
    return found


def filmed(
    clip: list[tuple[float, Pixels]],
    faces: list[Detection | None],
    plan: LightPlan | None,
    share: float,
    rng: np.random.Generator,
) -> Iterator[tuple[float, Pixels]]:
    """Yield what the camera sees of somebody before a screen that shows a plan."""
    latency_s, sigma = float(rng.uniform(0.3, 2.0)), float(rng.uniform(1.5, 3.0))
    noise = (
        cv2.GaussianBlur(rng.standard_normal((SIZE[1] + 64, SIZE[0] + 64, 3), np.float32), (3, 3), 0.6) * sigma * 1.6
    )
    colours = LIGHT / LIGHT.mean(axis=1).mean()
    gain, balance, drift = 1.0, np.ones(3), rng.normal(0, 0.004, 3)
    target: float | None = None
    grey: npt.NDArray[np.float64] | None = None
    last_s = 0.0
    for (time_s, rgb), face in zip(clip, faces, strict=True):
        lit, step_s, last_s = (rgb.astype(np.float32) / 255) ** 2, time_s - last_s, time_s
        step = int(np.floor((time_s - BEFORE_S - latency_s) / STEP_S))
        if plan is not None and face is not None and 0 <= step < N_STEPS:
            on_skin = share * (BEHIND + (1 - BEHIND) * _mask(face))
            lit = lit * (1 + on_skin[..., None] * colours[plan.colours[step]].astype(np.float32))
        mean = lit[::8, ::8].mean(axis=(0, 1)).astype(np.float64)  # what the camera measures
        target, grey = target or float(mean.mean()), mean if grey is None else grey
        gain += min(step_s / EXPOSURE_S, 1) * (target / max(float(mean.mean()), 1e-6) - gain)
        wanted = 1 + BALANCE_SHARE * (grey / grey.mean() * mean.mean() / np.maximum(mean, 1e-6) - 1)
        balance += min(step_s / BALANCE_S, 1) * (wanted - balance) + drift * step_s
        level = np.minimum(lit * (gain * balance).astype(np.float32), 1)
        y, x = rng.integers(64, size=2)
        seen = 255 * cv2.sqrt(level) + noise[y : y + SIZE[1], x : x + SIZE[0]]
        yield time_s, np.clip(seen + 0.5, 0, 255).astype(np.uint8)


def _mask(face: Detection) -> Array:
    left, top, wide, high = face.box
    mask = np.zeros(SIZE[::-1], np.float32)
    middle = int(left + wide / 2), int(top + high / 2)
    cv2.ellipse(mask, middle, (int(0.6 * wide), int(0.65 * high)), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(wide / 8, 2)), np.float32)


def tints(media: Iterator[tuple[float, Pixels]], finder: FaceFinder) -> list[Tint]:
    """Return the tints that the service would take of a call."""
    tracker, found = FaceTracker(), list[Tint]()
    for time_s, rgb in transcode(media, CHANNEL):
        for crop in follow(rgb, time_s, tracker, finder.find)[:1]:
            one = tint(rgb, crop)
            found += [one] if one else []
    return found


def plan_of(path: Path, kind: str) -> LightPlan:
    """Return the plan that a clip's film is of: the one that is looked for, or another."""
    return LightPlan.draw(Random(f"{path.name} {kind}"))


def film_all(half: str, shares: list[float], seed: int, out: Path) -> None:
    """Film each clip of a half, and write its tints, unless they are there."""
    done = {json.loads(line)["clip"] for line in out.read_text().splitlines()} if out.exists() else set()
    finder = FaceFinder()
    for source, path in clips(half, seed):
        if path.name in done or not (clip := pictures(path)):
            continue
        faces = places(clip, finder)
        films = [
            {"share": share, "kind": kind, "tints": [asdict(one) for one in found]}
            for share in shares
            for kind in KINDS
            if kind != "none" or share == shares[0]
            for rng in [np.random.default_rng([seed, *path.name.encode(), *kind.encode()])]
            for plan in [None if kind == "none" else plan_of(path, kind)]
            for found in [tints(filmed(clip, faces, plan, share, rng), finder)]
        ]
        with out.open("a") as file:
            file.write(json.dumps({"clip": path.name, "source": source, "films": films}) + "\n")


def statistics(path: Path) -> list[dict[str, object]]:
    """Return what is read of each film, by the plan that its clip looks for."""
    rows = []
    for line in path.read_text().splitlines():
        clip = json.loads(line)
        plan = plan_of(Path(clip["clip"]), "shown")
        for film in clip["films"]:
            reading = read(plan, [Tint(**one) for one in film["tints"]], BEFORE_S)
            if reading is not None:
                rows.append(
                    {
                        "source": clip["source"],
                        "statistic": reading.statistic,
                        **{k: film[k] for k in ("share", "kind")},
                    }
                )
    return rows


def auc(positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]) -> float:
    """Return the area under the curve."""
    return float((positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean())


def summary(rows: list[dict[str, object]], share: float) -> dict[str, object]:
    """Return the AUCs of one share with their 95 % interval over sources."""
    sources = sorted({str(row["source"]) for row in rows})

    def values(kind: str, chosen: list[str]) -> npt.NDArray[np.float64]:
        asked = [row for row in rows if row["kind"] == kind and (kind == "none" or row["share"] == share)]
        return np.array([row["statistic"] for source in chosen for row in asked if row["source"] == source], np.float64)

    rng, draws = np.random.default_rng(0), []
    for _ in range(500):
        chosen = list(rng.choice(sources, len(sources)))
        if len(values("shown", chosen)) and len(values("none", chosen)):
            draws.append(auc(values("shown", chosen), values("none", chosen)))
    low, high = np.quantile(draws, [0.025, 0.975])
    return {
        "share": share,
        "clips": len(values("shown", sources)),
        "sources": len(sources),
        "auc": {kind: round(auc(values("shown", sources), values(kind, sources)), 3) for kind in ("none", "other")},
        "interval": [round(low, 3), round(high, 3)],
        "median": {kind: round(float(np.median(values(kind, sources))), 2) for kind in KINDS},
    }


def main() -> None:
    """Print one JSON line for each share."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=["fit", "report"], required=True)
    parser.add_argument("--tints", type=Path, required=True, help="lines of JSON, kept between runs")
    parser.add_argument("--shares", type=float, nargs="*", default=[0.02])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="each statistic, lines of JSON, for the map to an llr")
    given = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("../shared/data is not there: nothing is measured")
    film_all(given.half, given.shares, given.seed, given.tints)
    rows = statistics(given.tints)
    for share in given.shares:
        print(json.dumps(summary(rows, share)))
    if given.out:
        given.out.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
