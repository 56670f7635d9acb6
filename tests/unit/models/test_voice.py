"""The voice's model: one score a window, the same whatever its level, surroundings and packing."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
import torch

from models import checkpoint, voice
from models.metrics import auc
from models.training.clips import voice_windows
from models.training.voice_codecs import resample
from models.training.voice_copies import write_opus
from models.training.voice_data import decode, middle_window, read_manifest
from models.training.voice_groups import BLIND
from models.voice import LinearHead, Voice, VoiceModel, load_voice
from models.window import SAMPLE_RATE_HZ, WINDOW_SAMPLES
from stream import demo

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "voice"
LEAST_AUC = 0.7
"""What the committed checkpoint must reach on sources that nothing was trained on."""
OWN_NOISE = 0.4
"""What half a second on changes of a genuine voice's raw score (root mean square of 58 steps of the shared speech)."""

Sound = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def loaded() -> Voice:
    return load_voice()


@pytest.fixture(scope="module")
def said() -> Sound:
    """Return seven seconds of the demonstration's human voice."""
    recorded = demo.load_voices()[0].astype(np.float32) / 32768
    narrow = np.interp(np.arange(7 * SAMPLE_RATE_HZ) * 3 % len(recorded), np.arange(len(recorded)), recorded)
    return np.asarray(narrow, np.float32)


def raws(loaded: Voice, sound: Sound) -> npt.NDArray[np.float64]:
    windows = np.stack([window.samples for window in voice_windows(sound)])
    return loaded.raw(torch.from_numpy(windows)).double().numpy()


def test_a_batch_of_windows_gives_one_score_each_and_none_depends_on_the_others(loaded: Voice, said: Sound) -> None:
    windows = torch.from_numpy(np.stack([said[:WINDOW_SAMPLES], said[-WINDOW_SAMPLES:]]))
    together = loaded.raw(windows)
    assert together.shape == (2,)
    assert together[1].item() == pytest.approx(loaded.raw(windows[1:]).item(), abs=1e-3)


def test_even_silence_and_noise_give_finite_numbers(loaded: Voice) -> None:
    sounds = torch.stack([torch.zeros(WINDOW_SAMPLES), torch.full((WINDOW_SAMPLES,), 1.0)])
    assert torch.isfinite(loaded.raw(sounds)).all()


def test_gain_changes_nothing(loaded: Voice, said: Sound) -> None:
    for gain in (0.03, 3.0):
        assert np.abs(raws(loaded, gain * said) - raws(loaded, said)).max() < 0.1 * OWN_NOISE


def remuxed(source: Path, target: Path) -> None:
    """Put the packets of a recording into another container."""
    with av.open(str(source)) as given, av.open(str(target), "w") as taken:
        stream = taken.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                taken.mux(packet)


CHANGES: dict[str, Callable[[Sound], Sound]] = {
    "leading silence": lambda sound: np.concatenate([np.zeros(8_000, np.float32), sound]),
    "a longer file": lambda sound: np.concatenate([sound, sound]),
    "another sample rate": lambda sound: resample(resample(sound, 16_000, 44_100), 44_100, 16_000)[: sound.size],
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_has_nothing_to_do_with_the_voice_moves_the_mean_by_less_than_its_own_noise(
    loaded: Voice, said: Sound, name: str
) -> None:
    before, after = raws(loaded, said), raws(loaded, CHANGES[name](said))
    assert abs(after.mean() - before.mean()) < OWN_NOISE


def test_another_container_changes_nothing(loaded: Voice, said: Sound, tmp_path: Path) -> None:
    write_opus(tmp_path / "a.ogg", said, 32_000)
    remuxed(tmp_path / "a.ogg", tmp_path / "a.mka")
    before, after = (raws(loaded, decode(tmp_path / name)) for name in ("a.ogg", "a.mka"))
    assert abs(after.mean() - before.mean()) < OWN_NOISE


def test_a_view_is_heard_through_its_weight_alone() -> None:
    model = VoiceModel()
    model.fusion.copy_(torch.tensor([2.0, 0.5, 0.0]))
    model.offset.fill_(-1.0)
    assert model.fuse(torch.tensor([[1.0, 4.0, 99.0]])).item() == pytest.approx(3.0)


def test_a_head_is_a_weighted_sum_of_standard_features() -> None:
    head = LinearHead(2)
    head.centre.copy_(torch.tensor([1.0, 0.0]))
    head.scale.copy_(torch.tensor([2.0, 1.0]))
    head.weight.copy_(torch.tensor([1.0, -1.0]))
    assert head(torch.tensor([[5.0, 1.0]])).item() == pytest.approx(1.0)


def test_every_map_of_the_checkpoint_claims_no_more_than_it_was_shown() -> None:
    described = load_voice().described
    assert described.telephone is not None
    assert set(described.long) == {"10", "30"}
    for known in (described.calibration, described.telephone, *described.long.values()):
        assert known.llrs[0] < 0 < known.llrs[-1]
        assert max(map(abs, known.llrs)) <= 4.2


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described, state = checkpoint.load("voice")
    state.pop("speech.bias")
    checkpoint.save(described, state, tmp_path)
    monkeypatch.setattr(checkpoint.load, "__defaults__", (tmp_path,))
    with pytest.raises(checkpoint.CheckpointError, match=r"^checkpoint 'voice' does not fit VoiceModel: "):
        voice.load_voice()


@pytest.mark.shared_data
def test_bona_fide_scores_above_spoof_on_sources_that_nothing_was_trained_on(loaded: Voice) -> None:
    if not SHARED.exists():
        pytest.skip("shared data is not here")
    clips = [clip for clip in read_manifest(SHARED) if clip.source in BLIND][::2]
    windows = np.stack([middle_window(decode(clip.path)) for clip in clips]).astype(np.float32)
    raw = torch.cat([loaded.raw(part) for part in torch.from_numpy(windows).split(8)]).double().numpy()
    is_spoof = np.array([clip.is_spoof for clip in clips])
    assert auc(raw[~is_spoof], raw[is_spoof]) >= LEAST_AUC
