"""From what voices and faces are like to trials: one cosine of a reference against a caller, one person or two.

Voices are compared within one page, where both sides went the same way, so that the channel cannot tell people apart.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from models.calibration import Calibration
from models.drift import Piece, mean_of, seconds_of
from models.identity import MIN_S, Identity
from models.training.calibrate import ScoredClip, fit
from models.training.identity_faces import CODED, Seen
from models.training.identity_voices import Voice

REFERENCES = 2
"""Recordings that a reference is taken from: some six seconds of speech."""
OTHERS = 4
"""Other people that each caller is compared with."""
PLAIN = "wideband"

T, K = TypeVar("T"), TypeVar("K")


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
    found = []
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
            if (cosine := _cosine([p for v in own for p in v.pieces], clone.pieces)) is not None:
                found.append(
                    IdentityTrial(
                        source=source,
                        people=frozenset({clone.clip.speaker}),
                        cosine=cosine,
                        caller_s=seconds_of(clone.pieces),
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


def halves(seen: Seen) -> tuple[Sequence[Piece], Sequence[Piece]]:
    """Return the first and the second half of a clip's pieces."""
    middle = len(seen.pieces) // 2
    return seen.pieces[:middle], seen.pieces[middle:]


def calibrated(trials: Iterable[IdentityTrial]) -> Calibration:
    """Return the monotone map from cosines to the llr of one person, pages weighing by the root of their trials."""
    return fit(
        [
            ScoredClip(
                source=trial.source,
                scene=trial.source,
                attack_type="-" if trial.is_same else "other",
                raw=(trial.cosine,),
            )
            for trial in trials
        ]
    )


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
            cosine = _cosine([piece for voice in own for piece in voice.pieces], caller.pieces)
            if cosine is not None:
                yield IdentityTrial(
                    source=source,
                    people=frozenset({name, other}),
                    cosine=cosine,
                    caller_s=seconds_of(caller.pieces),
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
