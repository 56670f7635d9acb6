"""Calls composed of tapes: hours of them, with pauses, absences, other conditions and forgeries that begin at any time.

Real calls with a known truth do not exist in the hours that a promise speaks of. What these are instead: stretches of
one person, by one camera or microphone, drawn again and again and joined. So a call has a bias of its own, as real ones
do, but its windows repeat, and no window straddles a join. Sources are drawn by the root of how much they have.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.tapes import Tape
from models.window import HOP_S, WINDOW_S, Reason, Score, Signal

Rng = np.random.Generator

MEDIAN_S, SPREAD, SHORTEST_S, LONGEST_S = 300.0, 0.6, 60.0, 1200.0
"""Lengths of calls: log-normal, cut off [s]."""
PAUSES: dict[Signal, tuple[float, float, Reason]] = {
    # Of every minute a party is silent for about half; now and then somebody leaves the picture.
    Signal.VOICE: (8.0, 7.0, Reason.SILENCE),
    Signal.FACE: (90.0, 8.0, Reason.NO_FACE),
}
"""By signal: mean time between two pauses and mean length of one [s], and why nothing is judged in it."""
OTHER_CONDITION = 0.1
"""Share of calls whose condition becomes another one in the middle."""
EARLIEST_S, LATEST_S = 20.0, 40.0
"""How long after the start of a call, and before its end, a forgery begins that was not there from the start [s]."""


class Kind(StrEnum):
    """What a composed call is."""

    BONA_FIDE = "bona_fide"
    THROUGHOUT = "throughout"
    """Forged from the start."""
    TAKEOVER = "takeover"
    """Forged from some time on."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One window of one signal."""

    raw: float | None
    reason: Reason | None
    analysed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedCall:
    """One call: the windows of each signal that it has, a hop apart, the first ends at WINDOW_S."""

    kind: Kind
    windows: Mapping[Signal, Sequence[Heard]]
    sources: tuple[str, ...]
    """Of its tapes."""
    attack_types: Mapping[Signal, str]
    """Of each forged signal."""
    onset_s: float | None
    """When the forgery begins [s]; None if there is none."""
    is_telephone: bool

    @property
    def length_s(self) -> float:
        """How long it lasts [s]."""
        return WINDOW_S + (max(map(len, self.windows.values())) - 1) * HOP_S

    def scores(self) -> Iterable[Score]:
        """Yield the windows of all signals as a detector would, by time, with llr 0."""
        for i in range(max(map(len, self.windows.values()))):
            end_s = WINDOW_S + i * HOP_S
            for signal, windows in self.windows.items():
                if i < len(windows):
                    heard = windows[i]
                    yield Score(
                        signal=signal,
                        track=1 if signal is Signal.FACE else 0,
                        start_s=end_s - WINDOW_S,
                        end_s=end_s,
                        llr=None if heard.raw is None else 0.0,
                        raw=heard.raw,
                        reason=heard.reason,
                        analysed_s=heard.analysed_s,
                        is_telephone=self.is_telephone and signal is Signal.VOICE,
                    )


class Library:
    """Tapes of one signal and class of channel, by source and person or system.

    Args:
        tapes: Of any signals; those of another one, of another channel, or without a judged window are left aside.
        signal: Which to keep.
        is_telephone: Which class of channel; a face has but one.
    """

    def __init__(self, tapes: Iterable[Tape], signal: Signal, *, is_telephone: bool = False) -> None:
        self.signal = signal
        self._genuine: dict[str, dict[str, list[Tape]]] = defaultdict(lambda: defaultdict(list))
        self._forged: dict[str, dict[str, list[Tape]]] = defaultdict(lambda: defaultdict(list))
        for tape in tapes:
            if tape.signal is signal and tape.is_telephone is is_telephone and tape.judged:
                if tape.is_bona_fide:
                    self._genuine[tape.source][tape.person].append(tape)
                else:
                    self._forged[tape.source][tape.attack].append(tape)

    @property
    def genuine_sources(self) -> tuple[str, ...]:
        """Sources with genuine tapes."""
        return tuple(sorted(self._genuine))

    @property
    def forged_sources(self) -> tuple[str, ...]:
        """Sources with forged tapes."""
        return tuple(sorted(self._forged))

    def draw_genuine(self, rng: Rng, source: str = "") -> list[Tape]:
        """Return the tapes of one person, of a given source or of any."""
        persons = self._genuine[source or _drawn(self._genuine, rng)]
        return persons[sorted(persons)[rng.integers(len(persons))]]

    def draw_forged(self, rng: Rng, source: str = "") -> list[Tape]:
        """Return the tapes of one system, of one person where more are known, of a given source or of any."""
        systems = self._forged[source or _drawn(self._forged, rng)]
        tapes = systems[sorted(systems)[rng.integers(len(systems))]]
        person = tapes[rng.integers(len(tapes))].person
        return [tape for tape in tapes if tape.person == person]

    def genuine_of(self, rng: Rng, forged: Tape) -> list[Tape]:
        """Return genuine tapes for a forgery to take over from: of the same person if there are any, else of its page.

        An empty list: its source has none.
        """
        persons = self._genuine.get(forged.source)
        if not persons:
            return []
        return persons.get(forged.person) or self.draw_genuine(rng, forged.source)


def _drawn(sources: Mapping[str, Mapping[str, Sequence[Tape]]], rng: Rng) -> str:
    names = sorted(sources)
    weights = np.array([sum(map(len, sources[name].values())) for name in names]) ** 0.5
    return str(rng.choice(names, p=weights / weights.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """Draws calls.

    Args:
        libraries: Of each signal that calls may have; a call has all of them or, as drawn, one.
        is_telephone: Whether the sound comes over a telephone line.
        alone: Share of calls that have one signal only.
    """

    libraries: tuple[Library, ...]
    is_telephone: bool
    alone: float = 0.4

    @classmethod
    def of(cls, tapes: Sequence[Tape], *, is_telephone: bool) -> "Composer":
        """Return what composes calls of tapes; a signal without genuine tapes takes no part.

        Raises:
            ValueError: No signal has any.
        """
        found = Library(tapes, Signal.FACE), Library(tapes, Signal.VOICE, is_telephone=is_telephone)
        libraries = tuple(library for library in found if library.genuine_sources)
        if not libraries:
            raise ValueError(f"no genuine tapes, {'of a telephone line' if is_telephone else 'wideband'}")
        return cls(libraries=libraries, is_telephone=is_telephone)

    def draw(self, rng: Rng, kind: Kind) -> ComposedCall:
        """Return a call. Of a forged one with both signals, one or both are forged; both begin at the same time."""
        n_hops = int(np.clip(rng.lognormal(np.log(MEDIAN_S), SPREAD), SHORTEST_S, LONGEST_S) / HOP_S)
        onset = {
            Kind.BONA_FIDE: n_hops,
            Kind.THROUGHOUT: 0,
            Kind.TAKEOVER: int(rng.uniform(EARLIEST_S, max(n_hops * HOP_S - LATEST_S, EARLIEST_S + 1)) / HOP_S),
        }[kind]
        chosen = [self.libraries[rng.integers(len(self.libraries))]] if rng.random() < self.alone else self.libraries
        forged = set() if kind is Kind.BONA_FIDE else _some(chosen, rng)
        windows: dict[Signal, list[Heard]] = {}
        sources: list[str] = []
        attack_types: dict[Signal, str] = {}
        for library in chosen:
            if library.signal in forged:
                spoof, genuine = _pair(library, rng, needs_genuine=onset > 0)
                attack_types[library.signal] = spoof[0].attack_type
            else:
                genuine = library.draw_genuine(rng)
                spoof = genuine
            sources.append(spoof[0].source)
            length = onset if library.signal in forged else n_hops
            windows[library.signal] = [
                *_strip(genuine, length, library.signal, rng),
                *_strip(spoof, n_hops - length, library.signal, rng),
            ]
        return ComposedCall(
            kind=kind,
            windows=windows,
            sources=tuple(sources),
            attack_types=attack_types,
            onset_s=None if kind is Kind.BONA_FIDE else onset * HOP_S,
            is_telephone=self.is_telephone,
        )


def _some(libraries: Sequence[Library], rng: Rng) -> set[Signal]:
    """Return which signals are forged: one of them, or all."""
    signals = [library.signal for library in libraries]
    return {signals[rng.integers(len(signals))]} if rng.random() < 0.5 else set(signals)


def _pair(library: Library, rng: Rng, *, needs_genuine: bool) -> tuple[list[Tape], list[Tape]]:
    """Return forged tapes and genuine ones that they can take over from."""
    while True:
        spoof = library.draw_forged(rng)
        genuine = library.genuine_of(rng, spoof[0])
        if genuine or not needs_genuine:
            return spoof, genuine or spoof


def _strip(tapes: Sequence[Tape], n_hops: int, signal: Signal, rng: Rng) -> list[Heard]:
    """Return so many windows: tapes of one condition, or of another from the middle on, in any order, with pauses."""
    by_condition: dict[str, list[Tape]] = defaultdict(list)
    for tape in tapes:
        by_condition[tape.condition].append(tape)
    conditions = [str(name) for name in rng.permutation(sorted(by_condition))]
    second = conditions[-1] if rng.random() < OTHER_CONDITION else conditions[0]
    between_s, pause_s, reason = PAUSES[signal]
    strip: list[Heard] = []
    until_pause = rng.exponential(between_s) / HOP_S
    while len(strip) < n_hops:
        pool = by_condition[conditions[0] if len(strip) < n_hops / 2 else second]
        tape = pool[rng.integers(len(pool))]
        columns = zip(tape.raws, tape.reasons, tape.analysed_s, strict=True)
        strip += [Heard(*row) for row in columns]
        until_pause -= len(tape.raws)
        if until_pause <= 0:
            strip += [Heard(None, reason, 0.0)] * (1 + int(rng.exponential(pause_s) / HOP_S))
            until_pause = rng.exponential(between_s) / HOP_S
    return strip[:n_hops]
