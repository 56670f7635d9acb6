"""From what voices and faces are like to trials: one cosine of a reference against a caller, one person or two.

Voices are compared within one page, where both sides went the same way, so that the channel cannot tell people apart.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from models.calibration import Calibration
from models.drift import Piece, mean_of, seconds_of
from models.identity import MIN_S, Identity
from models.training.identity_faces import CODED, Seen
from models.training.identity_voices import Voice

REFERENCES = 2
"""Recordings that a reference is taken from: some six seconds of speech."""
SHORT_S = 3.0
"""Speech of the shortest callers [s]."""
OTHERS = 4
"""Other people that each caller is compared with."""
PLAIN = "wideband"
LIMIT_NAT = 4.0
"""No comparison says more: about a hundred people were compared [nat]."""
TAIL_RAW, TAIL_NAT = 2.0, 0.1
"""Beyond that a cosine still ranks, but says hardly more: so much over so long a way."""
NEWTON_STEPS, MIN_SLOPE = 30, 1e-3

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityTrial:
    """One comparison."""

    source: str
    """What is left out together."""
    people: frozenset[str]
    """Whose reference and whose call it is."""
    cosine: float
    caller_s: float
    channel: str
    attack_type: str = "-"
    """Of the caller: a machine made to speak as the reference."""

    @property
    def is_same(self) -> bool:
        return len(self.people) == 1


def voice_trials(voices: Sequence[Voice], *, n_references: int = REFERENCES) -> list[IdentityTrial]:
    """Compare each caller with references of the same page: their own other recordings, and other people's.

    A caller through a codec is compared with a reference through the same, and with one that was taken before it.
    """
    found: list[IdentityTrial] = []
    for (source, channel), group in _grouped(voices, lambda v: (v.clip.source, v.channel)).items():
        callers = [voice for voice in group if not voice.clip.is_clone]
        plain = [v for v in voices if v.clip.source == source and v.channel == PLAIN and not v.clip.is_clone]
        found += _against(callers, callers, source, channel, n_references)
        if channel != PLAIN:
            found += _against(plain, callers, source, f"{channel} against {PLAIN}", n_references)
    return found


def clone_trials(voices: Sequence[Voice]) -> list[IdentityTrial]:
    """Compare each clone with references of the speaker whom it was made to sound like."""
    found = []
    for source, group in _grouped(voices, lambda v: v.clip.source).items():
        genuine = [v for v in group if not v.clip.is_clone and v.channel == PLAIN]
        for clone in (v for v in group if v.clip.is_clone):
            own = [v for v in genuine if v.clip.speaker == clone.clip.speaker][:REFERENCES]
            heard = start_of(clone.pieces)
            if (cosine := _cosine([p for v in own for p in v.pieces], heard)) is not None:
                found.append(
                    IdentityTrial(
                        source=source,
                        people=frozenset({clone.clip.speaker}),
                        cosine=cosine,
                        caller_s=seconds_of(heard),
                        channel=PLAIN,
                        attack_type=clone.clip.attack_type,
                    )
                )
    return found


def long_trials(voices: Sequence[Voice], caller_s: float) -> list[IdentityTrial]:
    """Compare callers who speak for at least `caller_s` with all that is left of each speaker of the same corpus."""
    found = []
    genuine = [voice for voice in voices if not voice.clip.is_clone]
    for (corpus, channel), group in _grouped(genuine, lambda v: (corpus_of(v.clip.speaker), v.channel)).items():
        people = {name: _split(own, caller_s) for name, own in _grouped(group, lambda v: v.clip.speaker).items()}
        halves = {name: pair for name, pair in people.items() if pair is not None}
        for name, (caller, _) in halves.items():
            others = _drawn([other for other in halves if other != name], OTHERS, f"{corpus} {channel} {name}")
            for other in [name, *others]:
                if (cosine := _cosine(halves[other][1], caller)) is not None:
                    found.append(
                        IdentityTrial(
                            source=corpus,
                            people=frozenset({name, other}),
                            cosine=cosine,
                            caller_s=seconds_of(caller),
                            channel=channel,
                        )
                    )
    return found


def face_trials(seen: Sequence[Seen]) -> list[IdentityTrial]:
    """Compare the end of each genuine clip with its own start, and with the starts of clips of other pages.

    Pages may show one person in several clips, so that two clips of a page are never called two people.
    """
    found = []
    genuine = [one for one in seen if not one.is_swap and len(one.pieces) >= 2]
    for view in ("plain", CODED):
        starts = {one.trial.file: one for one in genuine if one.view == "plain"}
        for one in (one for one in genuine if one.view == view):
            source = one.trial.source
            others = [file for file, other in starts.items() if other.trial.source != source]
            for file in [one.trial.file, *_drawn(others, OTHERS, one.trial.file)]:
                if file in starts:
                    found.append(
                        IdentityTrial(
                            source=source,
                            people=frozenset({one.trial.file, file}),
                            cosine=float(mean_of(halves(starts[file])[0]) @ mean_of(halves(one)[1])),
                            caller_s=seconds_of(halves(one)[1]),
                            channel=view,
                        )
                    )
    return found


def start_of(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Return the first pieces of a caller, of about `SHORT_S` of speech in all."""
    n = int(np.searchsorted(np.cumsum([piece.new_s for piece in pieces]), SHORT_S - 1e-6)) + 1
    return pieces[:n]


def halves(seen: Seen) -> tuple[Sequence[Piece], Sequence[Piece]]:
    """Return the first and the second half of a clip's pieces."""
    middle = len(seen.pieces) // 2
    return seen.pieces[:middle], seen.pieces[middle:]


def calibrated(trials: Sequence[IdentityTrial]) -> Calibration:
    """Return the map from cosines to the llr of one person: a straight line between `-LIMIT_NAT` and `LIMIT_NAT`.

    Logistic regression with both classes of equal weight, within each the pages by the root of their trials. No answer
    is taken for surer than the number of people allows (Platt's targets), so that where one person and two never meet
    the line stays finite.

    Raises:
        ValueError: The trials are all of one person or all of two.

    Source: Platt 1999 (Probabilistic outputs for support vector machines), section 2.2.
    """
    same = np.array([trial.is_same for trial in trials], bool)
    if not same.any() or same.all():
        raise ValueError("calibration needs trials of one person and of two")
    cosines = np.array([trial.cosine for trial in trials])
    centre, spread = cosines.mean(), cosines.std()
    n_people = len({person for trial in trials for person in trial.people})
    wanted = np.where(same, 1 - 1 / (n_people + 2), 1 / (n_people + 2))
    slope, offset = _logistic((cosines - centre) / spread, wanted, _weights(trials, same))
    ends = [float(centre + spread * (limit - offset) / slope) for limit in (-LIMIT_NAT, LIMIT_NAT)]
    return Calibration(
        raws=(ends[0] - TAIL_RAW, *ends, ends[1] + TAIL_RAW),
        llrs=(-LIMIT_NAT - TAIL_NAT, -LIMIT_NAT, LIMIT_NAT, LIMIT_NAT + TAIL_NAT),
    )


def _weights(trials: Sequence[IdentityTrial], same: Bools) -> Floats:
    """Return the weight of each trial, each class 0.5 in all."""
    n_of = Counter((trial.is_same, trial.source) for trial in trials)
    weights = np.array([n_of[trial.is_same, trial.source] ** -0.5 for trial in trials])
    for kind in (same, ~same):
        weights[kind] *= 0.5 / weights[kind].sum()
    return weights


def _logistic(x: Floats, wanted: Floats, weights: Floats) -> tuple[float, float]:
    """Return slope, never below `MIN_SLOPE`, and offset of the weighted logistic regression, by Newton's steps."""
    rows, line = np.stack([x, np.ones_like(x)], axis=1), np.zeros(2)
    for _ in range(NEWTON_STEPS):
        said = 1 / (1 + np.exp(-rows @ line))
        bend = (rows * (weights * said * (1 - said))[:, None]).T @ rows + 1e-9 * np.eye(2)
        line += np.linalg.solve(bend, rows.T @ (weights * (wanted - said)))
    return max(float(line[0]), MIN_SLOPE), float(line[1])


def apart(trials: Sequence[IdentityTrial], source: str) -> list[IdentityTrial]:
    """Return the trials that share neither page nor person with those of a source."""
    people = {person for trial in trials if trial.source == source for person in trial.people}
    return [trial for trial in trials if trial.source != source and not trial.people & people]


def corpus_of(speaker: str) -> str:
    """Return the corpus or page that a speaker is of."""
    return speaker.partition(":")[0] if ":" in speaker else speaker.partition("_")[0]


def _against(
    references: Sequence[Voice], callers: Sequence[Voice], source: str, channel: str, n_references: int
) -> Iterator[IdentityTrial]:
    people = _grouped(references, lambda voice: voice.clip.speaker)
    for caller in callers:
        name = caller.clip.speaker
        others = _drawn([other for other in people if other != name], OTHERS, f"{caller.clip.path.name} {channel}")
        for other in [name, *others]:
            own = [v for v in people.get(other, []) if v.clip.recording != caller.clip.recording][:n_references]
            heard = start_of(caller.pieces)
            cosine = _cosine([piece for voice in own for piece in voice.pieces], heard)
            if cosine is not None:
                yield IdentityTrial(
                    source=source,
                    people=frozenset({name, other}),
                    cosine=cosine,
                    caller_s=seconds_of(heard),
                    channel=channel,
                )


def _cosine(reference: Sequence[Piece], caller: Sequence[Piece]) -> float | None:
    if min(seconds_of(reference), seconds_of(caller)) < MIN_S[Identity.VOICE]:
        return None
    return float(mean_of(reference) @ mean_of(caller))


def _split(own: Sequence[Voice], caller_s: float) -> tuple[list[Piece], list[Piece]] | None:
    """Return a speaker's pieces as a caller's and as a reference's, apart by recording; None if they are too few."""
    caller: list[Piece] = []
    recordings: set[str] = set()
    for voice in own:
        if seconds_of(caller) >= caller_s:
            break
        caller += voice.pieces
        recordings.add(voice.clip.recording)
    reference = [piece for voice in own if voice.clip.recording not in recordings for piece in voice.pieces]
    return (caller, reference) if seconds_of(caller) >= caller_s and reference else None


def _drawn(names: Sequence[str], n: int, seed: str) -> list[str]:
    """Return `n` of the names, the same for the same seed; all where there are fewer."""
    order = np.random.default_rng(zlib.crc32(seed.encode())).permutation(len(names))
    return [names[i] for i in order[:n]]


def _grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups
