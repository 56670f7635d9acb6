"""The laboratory of active checks: who does what is asked, who does not, and what breaks meanwhile.

    python -m models.training.challenge_lab --data ../shared/data --runs 20 --out runs.json

People and attackers of `challenge_people`, `challenge_scenes` and `challenge_sounds` go through a call's codec (VP8 at
500 kbit/s), the face finder, the tracker and the tests that serve. One line of JSON a run is written; `challenge_fit`
reads them.
"""

import argparse
import csv
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from models import challenge_face, challenge_voice
from models.challenge import MODALITY, Challenge, ChallengeKind, draw
from models.challenge_score import identity_drop
from models.faces import FaceFinder, FaceTracker, follow
from models.identity import IdentityModel
from models.preprocess import face_px
from models.training import challenge_sounds
from models.training.challenge_people import REST_S, Behaviour, Sitter, film
from models.training.challenge_scenes import Clip, clips, staged
from models.training.transcode import Channel, Codec, transcode
from models.training.voice_data import decode, read_manifest
from models.window import SAMPLE_RATE_HZ, FaceCrop, Pixels, Samples, Signal

CHANNEL = Channel(codec=Codec.VP8, kbit_s=500)
RATE_HZ = 10.0
MIN_PORTRAIT_FACE_PX = 70.0
OF_LAB = [kind for kind in ChallengeKind if kind is not ChallengeKind.LIGHT]
"""Light is measured by `tests/bench/bench_light.py`, over moving people."""
OVER_CLIPS = (ChallengeKind.LAMP,)
"""What is drawn over genuine clips: a moved portrait has no skin that light could meet."""
N_CLIPS = 44
GENUINE_TIMES = 2
"""Over clips there are so many runs of people who comply for each of an attacker: wrong rejections are to be few."""
MIN_LEVEL = 0.01
"""Of speech, as a root mean square."""


def portraits(data: Path, n: int, rng: random.Random, finder: FaceFinder) -> list[tuple[str, Sitter]]:
    """Return portraits with the source that each is of, drawn evenly over the sources."""
    with (data / "face" / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["kind"], row["label"]) == ("still", "bona_fide")]
    rng.shuffle(rows)
    found: list[tuple[str, Sitter]] = []
    for row in rows:
        bgr = cv2.imread(str(data / "face" / row["file"]))
        if bgr is None:
            continue
        rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        faces = finder.find(rgb)
        if faces and face_px(faces[0].landmarks) >= MIN_PORTRAIT_FACE_PX:
            found.append((row["source"], Sitter.of(rgb, faces[0])))
        if len(found) >= n:
            break
    return found


def seen_by_the_service(picture: Callable[[float], Pixels], challenge: Challenge, finder: FaceFinder) -> list[FaceCrop]:
    """Return the face before and after the request at `REST_S`, as it comes through the call."""
    n = round((REST_S + challenge.seconds) * RATE_HZ)
    tracker, crops = FaceTracker(), list[FaceCrop]()
    for time_s, rgb in transcode(((i / RATE_HZ, picture(i / RATE_HZ)) for i in range(n)), CHANNEL):
        crops += follow(rgb, time_s, tracker, finder.find)[:1]
    return crops


def face_runs(
    kinds: Sequence[ChallengeKind], sitters: Sequence[tuple[str, Sitter]], runs: int, seed: int
) -> Iterator[dict[str, object]]:
    """Yield what was seen in each run of each attacker under each face challenge."""
    finder, model = FaceFinder(), IdentityModel()
    for kind, who, run in product(kinds, Behaviour, range(runs)):
        rng = np.random.default_rng([seed, run, *kind.encode(), *who.encode()])
        drawn = draw(kind, random.Random(int(rng.integers(1 << 30))))
        first, second = rng.permutation(len(sitters))[:2]
        (source, sitter), (_, other) = sitters[first], sitters[second]
        crops = seen_by_the_service(film(who, sitter, other, drawn, rng), drawn, finder)
        before, during = _around(crops)
        seen = challenge_face.see(drawn, before, during, REST_S)
        yield _row(drawn, who, source, seen) | {"identity_drop": identity_drop(model, before, during)}


def scene_runs(
    kinds: Sequence[ChallengeKind], filmed: Sequence[Clip], sitters: Sequence[Sitter], runs: int, seed: int
) -> Iterator[dict[str, object]]:
    """Yield what was seen in each run over genuine clips; each clip's people come before any comes again."""
    finder = FaceFinder()
    for run, kind, who in product(range(GENUINE_TIMES * runs), kinds, Behaviour):
        if run >= runs and who is not Behaviour.BONA_FIDE:
            continue
        rng = np.random.default_rng([seed, run, *kind.encode(), *who.encode()])
        drawn = draw(kind, random.Random(int(rng.integers(1 << 30))))
        clip = filmed[run % len(filmed)]
        driven, other = (sitters[i] for i in rng.permutation(len(sitters))[:2])
        crops = seen_by_the_service(staged(who, clip, driven, other, drawn, rng), drawn, finder)
        yield _row(drawn, who, clip.source, challenge_face.see(drawn, *_around(crops), REST_S))


def genuine_clips(data: Path, rng: random.Random) -> list[Clip]:
    """Return genuine clips of as many sources as there are."""
    with (data / "face" / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["kind"], row["label"]) == ("video", "bona_fide")]
    rng.shuffle(rows)
    return clips([(data / "face" / row["file"], row["source"]) for row in rows], N_CLIPS, FaceFinder())


def voices(data: Path, n: int, rng: random.Random) -> list[tuple[str, Samples]]:
    """Return genuine speech of some seconds with the source that each is of, drawn over the sources."""
    clips = [clip for clip in read_manifest(data / "voice") if not clip.is_spoof]
    rng.shuffle(clips)
    found: list[tuple[str, Samples]] = []
    for clip in clips:
        samples = decode(clip.path)[: round(8 * SAMPLE_RATE_HZ)]
        if len(samples) >= REST_S * SAMPLE_RATE_HZ and float(np.sqrt((samples**2).mean())) > MIN_LEVEL:
            found.append((clip.source, samples))
        if len(found) >= n:
            break
    return found


def voice_runs(
    kinds: Sequence[ChallengeKind], spoken: Sequence[tuple[str, Samples]], runs: int, seed: int
) -> Iterator[dict[str, object]]:
    """Yield what was heard in each run of each attacker under each challenge of the voice."""
    cut = round(challenge_sounds.REST_S * SAMPLE_RATE_HZ)
    for kind, who, run in product(kinds, challenge_sounds.Speaker, range(runs)):
        rng = np.random.default_rng([seed, run, *kind.encode(), *who.encode()])
        drawn = draw(kind, random.Random(int(rng.integers(1 << 30))))
        source, speech = spoken[int(rng.integers(len(spoken)))]
        sound = challenge_sounds.sound(who, speech, drawn, rng)
        heard = challenge_voice.hear(drawn, sound[:cut], sound[cut:], challenge_sounds.REST_S)
        yield _row(drawn, who, source, heard)


def main() -> None:
    """Write one line of JSON a run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--people", type=int, default=80)
    parser.add_argument("--kinds", nargs="*", type=ChallengeKind, default=OF_LAB)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    began_s = time.monotonic()
    of_face = [kind for kind in given.kinds if MODALITY[kind] is Signal.FACE and kind not in OVER_CLIPS]
    over_clips = [kind for kind in given.kinds if kind in OVER_CLIPS]
    of_voice = [kind for kind in given.kinds if MODALITY[kind] is Signal.VOICE]
    rng = random.Random(given.seed)
    with given.out.open("a") as out:
        if of_voice:
            spoken = voices(given.data, given.people, rng)
            _write(out, voice_runs(of_voice, spoken, given.runs, given.seed))
        if of_face:
            sitters = portraits(given.data, given.people, rng, FaceFinder())
            _write(out, face_runs(of_face, sitters, given.runs, given.seed))
        if over_clips:
            stills = [sitter for _, sitter in portraits(given.data, given.people, rng, FaceFinder())]
            filmed = genuine_clips(given.data, rng)
            _write(out, scene_runs(over_clips, filmed, stills, given.runs, given.seed))
    print(json.dumps({"seconds": round(time.monotonic() - began_s)}))


def _around(crops: Sequence[FaceCrop]) -> tuple[list[FaceCrop], list[FaceCrop]]:
    """Return the face before the request and from it on."""
    return [crop for crop in crops if crop.time_s < REST_S], [crop for crop in crops if crop.time_s >= REST_S]


def _row(
    drawn: Challenge, who: str, source: str, seen: challenge_face.FaceSeen | challenge_voice.VoiceHeard | None
) -> dict[str, object]:
    return {
        "kind": drawn.kind,
        "who": who,
        "source": source,
        "challenge": {"steps": drawn.steps, "code": drawn.code},
        "seen": asdict(seen) if seen else None,
    }


def _write(out: TextIO, runs: Iterable[dict[str, object]]) -> None:
    for run in runs:
        out.write(json.dumps(run) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
