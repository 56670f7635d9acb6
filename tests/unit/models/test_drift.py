import numpy as np
import pytest

from models.calibration import Calibration
from models.drift import CHANGE_NAT, Drift, Piece, mean_of, seconds_of

CALIBRATION = Calibration(raws=(0.0, 0.5, 1.0), llrs=(-6.0, 0.0, 4.0))
WIDE = 32


def person(seed: int) -> np.ndarray:
    vector = np.abs(np.random.default_rng(seed).normal(size=WIDE)).astype(np.float32)
    vector[seed % WIDE :: 4] *= 3
    return vector / np.linalg.norm(vector)


def pieces(plan: list[tuple[int, int]], *, noise: float = 0.05, start_s: float = 0.0) -> list[Piece]:
    """Return pieces of 1.6 s every 0.8 s: of each plan entry a person's number and how many pieces they speak."""
    rng, made = np.random.default_rng(1), []
    for who, n in plan:
        for _ in range(n):
            vector = (person(who) + rng.normal(0, noise, WIDE)).astype(np.float32)
            at_s = start_s + 0.8 * len(made)
            made.append(
                Piece(
                    vector=vector / np.linalg.norm(vector),
                    start_s=at_s,
                    end_s=at_s + 1.6,
                    new_s=0.8 if made else 1.6,
                )
            )
    return made


def watch(made: list[Piece]) -> Drift:
    drift = Drift(CALIBRATION, 3.0)
    for piece in made:
        drift.push(piece)
    return drift


def other(than: int) -> int:
    return min(range(1, 40), key=lambda seed: float(person(seed) @ person(than)))


def test_one_person_stays_one_person_however_long_the_call() -> None:
    drift = Drift(CALIBRATION, 3.0)
    readings = [drift.push(piece) for piece in pieces([(0, 300)])]
    assert drift.changes == []
    assert min(reading.llr for reading in readings if reading.llr is not None) > 2
    assert readings[-1].before_s == pytest.approx(300 * 0.8 - 3.2 - 0.8 + 0.8, abs=0.9)


def test_another_person_is_told_with_the_time_of_the_change() -> None:
    (change,) = watch(pieces([(0, 20), (other(0), 20)])).changes
    assert change.changed_at_s == pytest.approx(20 * 0.8 + 0.4, abs=0.5)
    assert 0 < change.found_at_s - change.changed_at_s < 5
    assert change.llr <= -CHANGE_NAT


def test_a_person_who_comes_back_is_a_change_of_their_own() -> None:
    changes = watch(pieces([(0, 20), (other(0), 20), (0, 20)])).changes
    assert [round(change.changed_at_s) for change in changes] == [16, 32]


def test_two_people_are_further_apart_than_one() -> None:
    same, apart = (
        [reading.llr for piece in pieces(plan) if (reading := drift.push(piece)).llr is not None]
        for plan, drift in (
            ([(0, 20)], Drift(CALIBRATION, 3.0)),
            ([(0, 10), (other(0), 5)], Drift(CALIBRATION, 3.0)),
        )
    )
    assert min(same) > min(apart)


def test_too_little_before_is_no_evidence() -> None:
    drift = Drift(CALIBRATION, 3.0)
    readings = [drift.push(piece) for piece in pieces([(0, 3), (other(0), 3)])]
    assert [reading.llr for reading in readings] == [None] * 6
    assert drift.changes == []


def test_what_is_folded_away_still_counts() -> None:
    drift = Drift(CALIBRATION, 3.0)
    made = pieces([(0, 200)], noise=0.3)
    readings = [drift.push(piece) for piece in made]
    n_newest = 4
    wanted = CALIBRATION.llr(float(mean_of(made[: -n_newest - 1]) @ mean_of(made[-n_newest:])))
    assert readings[-1].llr == pytest.approx(wanted, abs=1e-4)
    assert readings[-1].before_s == pytest.approx(seconds_of(made[: -n_newest - 1]))
    assert len(drift._recent) < 20


def test_a_single_odd_piece_is_not_another_person() -> None:
    made = pieces([(0, 15), (other(0), 1), (0, 15)])
    assert watch(made).changes == []
