"""Calls composed of tapes: of one person each, with the pauses, changes and forgeries that were asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.composed_calls import Composer, Kind, Library
from models.tapes import BONA_FIDE, Provenance, Tape, TapesError, counts, read, write
from models.window import HOP_S, Reason, Signal

GENUINE, FORGED = 1.0, -1.0


def tape(source: str, person: str, *, forged: bool = False, signal: Signal = Signal.VOICE, phone: bool = False) -> Tape:
    raw = FORGED if forged else GENUINE
    return Tape(
        signal=signal,
        source=source,
        person=person,
        attack="tts" if forged else BONA_FIDE,
        attack_type="modern" if forged else BONA_FIDE,
        condition="g711" if phone else "clean",
        is_telephone=phone,
        raws=(raw,) * 9 + (None,),
        reasons=(None,) * 9 + (Reason.NOISE,),
        analysed_s=(3.0,) * 9 + (0.0,),
    )


TAPES = [
    tape(f"{signal}{i}", person, forged=forged, signal=signal)
    for signal in (Signal.FACE, Signal.VOICE)
    for i in range(4)
    for person in "ab"
    for forged in (False, True)
]


def test_a_genuine_call_holds_nothing_forged_and_says_its_sources() -> None:
    composer, rng = Composer.of(TAPES, is_telephone=False), np.random.default_rng(0)
    for _ in range(20):
        call = composer.draw(rng, Kind.BONA_FIDE)
        raws = {score.raw for score in call.scores()}
        assert raws <= {GENUINE, None}
        assert call.attack_types == {}
        assert len(call.sources) == len(call.windows)
        assert 60 <= call.length_s <= 1210


@pytest.mark.parametrize("kind", [Kind.THROUGHOUT, Kind.TAKEOVER])
def test_a_forgery_begins_when_it_is_said_to(kind: Kind) -> None:
    composer, rng = Composer.of(TAPES, is_telephone=False), np.random.default_rng(1)
    for _ in range(20):
        call = composer.draw(rng, kind)
        assert call.onset_s is not None
        assert (call.onset_s == 0) == (kind is Kind.THROUGHOUT)
        for signal in call.attack_types:
            raws = [heard.raw for heard in call.windows[signal]]
            first = int(call.onset_s / HOP_S)
            assert set(raws[:first]) <= {GENUINE, None}
            assert set(raws[first:]) <= {FORGED, None}
            assert FORGED in raws[first:]


def test_windows_come_a_hop_apart_and_by_time() -> None:
    call = Composer.of(TAPES, is_telephone=False).draw(np.random.default_rng(2), Kind.BONA_FIDE)
    for signal in call.windows:
        times = [score.end_s for score in call.scores() if score.signal is signal]
        assert times == [4.0 + i * HOP_S for i in range(len(times))]


def test_the_same_seed_gives_the_same_calls() -> None:
    composer = Composer.of(TAPES, is_telephone=False)
    first, second = (composer.draw(np.random.default_rng(3), Kind.TAKEOVER) for _ in range(2))
    assert first == second


def test_a_telephone_call_has_the_telephones_sound() -> None:
    phone = [tape("p", "a", phone=True), tape("w", "a")]
    call = Composer.of(phone, is_telephone=True).draw(np.random.default_rng(0), Kind.BONA_FIDE)
    assert call.sources == ("p",)
    assert all(score.is_telephone for score in call.scores())


def test_without_genuine_tapes_there_are_no_calls() -> None:
    with pytest.raises(ValueError, match="no genuine tapes, wideband"):
        Composer.of([tape("a", "b", forged=True)], is_telephone=False)


def test_a_tape_without_a_judged_window_is_left_aside() -> None:
    mute = replace(tape("mute", "a"), raws=(None,), reasons=(Reason.SILENCE,), analysed_s=(0.0,))
    assert Library([mute, tape("a", "b")], Signal.VOICE).genuine_sources == ("a",)


def test_tapes_are_read_back_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tapes" / "voice.json.gz"
    provenance = Provenance(recipe="r", manifest_sha256="0", note="n")
    write(path, provenance, TAPES)
    written = path.read_bytes()
    assert read(path) == (provenance, tuple(TAPES))
    write(path, provenance, TAPES)
    assert path.read_bytes() == written
    path.write_bytes(written[:100])
    with pytest.raises(TapesError, match=r"cannot read tapes .*voice\.json\.gz"):
        read(path)


def test_a_window_has_a_score_or_a_reason() -> None:
    with pytest.raises(ValueError, match="either a raw score or a reason"):
        replace(tape("a", "b"), raws=(None,), reasons=(None,), analysed_s=(0.0,))


def test_what_tapes_hold_is_said_by_class_and_condition() -> None:
    assert list(counts([tape("a", "b"), tape("c", "d", forged=True)] * 2)) == [
        "bona fide, clean: 2 tapes of 1 sources, 0.00 h",
        "spoof, clean: 2 tapes of 1 sources, 0.00 h",
    ]
