"""Where the frames of a track stand in session time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.ingest.track_clock import TrackClock


def test_the_first_frame_stands_at_its_arrival_and_the_rest_follow_the_sender() -> None:
    clock = TrackClock()
    placed = [clock.place(pts, arrival) for pts, arrival in [(7.0, 0.3), (7.2, 0.55), (7.4, 0.69)]]
    assert placed == pytest.approx([0.3, 0.5, 0.7])


def test_lost_sound_leaves_a_hole_of_its_length() -> None:
    clock = TrackClock()
    clock.place(0.0, 0.0, 0.02)
    assert clock.place(3.0, 3.1, 0.02) == pytest.approx(3.0)


def test_a_burst_after_a_stall_stays_where_the_sender_made_it() -> None:
    clock = TrackClock()
    frames = [(i * 0.02, max(i * 0.02, 3.0 + i * 0.001)) for i in range(500)]
    placed = [clock.place(pts, arrival, 0.02) for pts, arrival in frames]
    assert placed == pytest.approx([3.0 + i * 0.02 for i in range(500)]), "the first frame sets the zero"
    clock = TrackClock()
    clock.place(0.0, 0.0, 0.02)
    placed = [clock.place(pts, arrival, 0.02) for pts, arrival in frames[1:]]
    assert placed == pytest.approx([pts for pts, _ in frames[1:]])


def test_a_sender_whose_time_stamps_stood_still_is_moved_to_its_arrival() -> None:
    clock = TrackClock()
    clock.place(0.0, 0.0, 0.02)
    placed = [clock.place(0.02 * i, 5.0 + 0.02 * i, 0.02) for i in range(1, 200)]
    assert placed[0] == pytest.approx(0.02)
    assert placed[-1] == pytest.approx(5.0 + 0.02 * 199)


@pytest.mark.parametrize("pts", [-50.0, 1e6, 2.0**32 / 48_000])
def test_a_new_clock_of_the_sender_begins_at_its_arrival(pts: float) -> None:
    clock = TrackClock()
    clock.place(0.0, 0.0, 0.02)
    assert clock.place(pts, 4.0, 0.02) == pytest.approx(4.0)
    assert clock.place(pts + 0.02, 4.1, 0.02) == pytest.approx(4.02)


def test_time_stamps_that_run_ahead_are_held_to_arrivals() -> None:
    clock = TrackClock()
    placed = [clock.place(2.0 * i, 1.0 * i) for i in range(60)]
    assert placed[-1] <= 59 + 1


@given(st.lists(st.tuples(st.floats(-20, 20), st.floats(0, 2), st.floats(0, 0.1)), min_size=1, max_size=60))
def test_session_time_never_runs_back_or_overlaps(steps: list[tuple[float, float, float]]) -> None:
    clock, pts, arrival, end = TrackClock(), 0.0, 0.0, 0.0
    for pts_step, arrival_step, length in steps:
        pts, arrival = pts + pts_step, arrival + arrival_step
        time_s = clock.place(pts, arrival, length)
        assert time_s >= end - 1e-9
        end = time_s + length
