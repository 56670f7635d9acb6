import csv
import json
from pathlib import Path

import numpy as np
import pytest

from models.calibration import Calibration
from models.checkpoint import CheckpointError
from models.demo_face import blend_face
from models.drift import Piece, mean_of
from models.face_id_net import tensors
from models.faces import FaceFinder, FaceTracker, follow
from models.identity import Identity, IdentityModel, Reference, load_calibrations
from models.speech_pieces import SpeechCutter
from models.training.clips import voice_windows
from models.training.face_data import main_face
from models.training.voice_data import decode
from models.voice_activity import VoiceActivity
from models.weights import ensure
from models.window import SAMPLE_RATE_HZ, FaceCrop, Reason, Samples

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def model() -> IdentityModel:
    return IdentityModel()


@pytest.fixture(scope="module")
def man() -> Samples:
    return np.fromfile(ensure("speech"), "<i2").astype(np.float32) / 32768


@pytest.fixture(scope="module")
def machine() -> Samples:
    """The machine's voice of the demonstration: not the man's."""
    return decode(ROOT / "stream" / "demo_voice.ogg")


def heard(model: IdentityModel, samples: Samples) -> list[Piece]:
    cutter = SpeechCutter(VoiceActivity())
    cut = [piece for window in voice_windows(samples) for piece in cutter.push(window)]
    return model.voice([*cut, *cutter.finish()])


def times(samples: Samples, seconds: float) -> Samples:
    return np.resize(samples, int(seconds * SAMPLE_RATE_HZ))


def crops(n: int) -> list[FaceCrop]:
    """Return a portrait's crops, a little further to the right in each picture."""
    import cv2

    portrait = cv2.imread(str(ensure("astronaut")))[..., ::-1]
    finder, tracker, found = FaceFinder(), FaceTracker(), []
    for i in range(n):
        picture = np.ascontiguousarray(np.roll(portrait, 3 * i, axis=1))
        found += follow(picture, i / 5, tracker, finder.find)[:1]
    return found


def test_one_voice_is_nearer_to_itself_than_to_another(model: IdentityModel, man: Samples, machine: Samples) -> None:
    reference = Reference.of(Identity.VOICE, heard(model, times(man, 6)))
    assert reference is not None
    own = model.compare(reference, heard(model, times(np.roll(man, 20_000), 6)))
    other = model.compare(reference, heard(model, machine))
    assert own.llr is not None
    assert other.llr is not None
    assert own.llr > 1
    assert other.llr < -1


def test_the_level_of_the_sound_says_nothing_of_who_speaks(model: IdentityModel, man: Samples) -> None:
    loud, quiet = (mean_of(heard(model, times(man, 6) * gain)) for gain in (1.0, 0.1))
    assert loud @ quiet > 0.97


def test_a_change_of_the_voice_is_told_within_two_seconds_of_where_it_is(
    model: IdentityModel, man: Samples, machine: Samples
) -> None:
    call = np.concatenate([times(man, 15), times(machine, 12)])
    drift = model.drift(Identity.VOICE)
    for piece in heard(model, call):
        drift.push(piece)
    (change,) = drift.changes
    assert change.changed_at_s == pytest.approx(15, abs=2)
    assert change.changed_at_s < change.found_at_s < 21


def test_a_voice_that_stays_is_no_change(model: IdentityModel, man: Samples) -> None:
    drift = model.drift(Identity.VOICE)
    llrs = [drift.push(piece).llr for piece in heard(model, times(man, 25))]
    assert drift.changes == []
    assert min(llr for llr in llrs if llr is not None) > 0


def test_silence_and_a_moment_of_speech_are_not_compared(model: IdentityModel, man: Samples) -> None:
    silence = heard(model, np.zeros(8 * SAMPLE_RATE_HZ, np.float32))
    assert Reference.of(Identity.VOICE, silence) is None
    reference = Reference.of(Identity.VOICE, heard(model, times(man, 6)))
    assert reference is not None
    for caller in (silence, heard(model, man[: 2 * SAMPLE_RATE_HZ])):
        found = model.compare(reference, caller)
        assert (found.llr, found.cosine, found.reason) == (None, None, Reason.SILENCE)


def test_no_face_is_not_compared(model: IdentityModel) -> None:
    seen = model.face(crops(10))
    reference = Reference.of(Identity.FACE, seen)
    assert reference is not None
    assert model.compare(reference, []).reason is Reason.NO_FACE
    assert model.face([]) == []


def test_a_face_keeps_its_embedding_as_it_moves(model: IdentityModel) -> None:
    first, second = model.face(crops(10))
    assert first.vector @ second.vector > 0.97
    assert (first.start_s, first.end_s, first.new_s) == (0.0, 0.8, 1.0)
    reference = Reference.of(Identity.FACE, [first])
    assert reference is not None
    found = model.compare(reference, [second])
    assert found.llr is not None
    assert found.llr > 1


@pytest.mark.shared_data
def test_a_live_swap_is_further_from_the_person_than_the_person_is(model: IdentityModel) -> None:
    if not (SHARED / "face").is_dir():
        pytest.skip("the shared face clips are not beside this checkout")
    with (SHARED / "face" / "manifest.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["source"] == "iperov/DeepFaceLive"]
    swap = next(row for row in rows if row["label"] == "spoof")
    genuine = next(row for row in rows if row["label"] == "bona_fide" and row["path"] == swap["path"])
    finder = FaceFinder()
    own, other = (model.face(main_face(SHARED / "face" / row["file"], "video", finder)) for row in (genuine, swap))
    drift = model.calibrations[Identity.FACE].drift
    middle = len(own) // 2
    stays, swapped = (float(mean_of(own[:middle]) @ mean_of(rest)) for rest in (own[middle:], other[middle:]))
    assert drift.llr(stays) > 1
    assert drift.llr(swapped) < -1


def test_every_calibration_rises_with_likeness_and_says_both() -> None:
    for calibrations in load_calibrations().values():
        for one in (*calibrations.by_seconds.values(), calibrations.drift):
            assert isinstance(one, Calibration)  # which rises, or could not be made
            assert one.llr(-1.0) < -1 < 1 < one.llr(1.0)


def test_a_caller_is_judged_by_the_longest_length_that_they_reach() -> None:
    calibrations = load_calibrations()[Identity.VOICE]
    shortest, longest = min(calibrations.by_seconds), max(calibrations.by_seconds)
    assert calibrations.of(0.1) is calibrations.by_seconds[shortest]
    assert calibrations.of(longest) is calibrations.by_seconds[longest]
    assert calibrations.of(longest - 0.01) is not calibrations.by_seconds[longest] or longest == shortest


def test_damaged_calibrations_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"identity\.json"):
        IdentityModel(tmp_path)
    (tmp_path / "identity.json").write_text(json.dumps({"calibrations": {}}))
    with pytest.raises(CheckpointError, match=r"identity\.json"):
        IdentityModel(tmp_path)


def test_the_parameters_of_a_dlib_network_are_read_in_order() -> None:
    def integer(value: int) -> bytes:
        return b"\x01" + bytes([value]) if value < 256 else b"\x02" + value.to_bytes(2, "little")

    def tensor(values: np.ndarray) -> bytes:
        sizes = (values.size, 1, 1, 1)
        return integer(2) + b"".join(map(integer, sizes)) + values.astype("<f4").tobytes()

    wanted = [np.arange(300), np.arange(7) + 0.5, np.ones(4)]
    data = b"net\x05con_4" + tensor(wanted[0]) + b"\x00\x01\x07affine_" + tensor(wanted[1])
    data += b"\x04fc_2" + integer(128) + integer(256) + tensor(wanted[2]) + b"end"
    found = tensors(data)
    assert [one.tolist() for one in found] == [one.tolist() for one in wanted]


def test_a_blend_of_a_face_with_itself_stays_the_same_person(model: IdentityModel) -> None:
    """What is made here of a portrait is a forgery, and no change of identity: another signal must find it."""
    import cv2

    portrait = np.ascontiguousarray(cv2.imread(str(ensure("astronaut")))[..., ::-1])
    finder = FaceFinder()
    blended = blend_face(portrait, finder.find(portrait)[0].landmarks)
    pieces = []
    for picture in (portrait, blended):
        tracker = FaceTracker()
        pieces += model.face([follow(picture, i / 5, tracker, finder.find)[0] for i in range(5)])
    assert pieces[0].vector @ pieces[1].vector > 0.92
