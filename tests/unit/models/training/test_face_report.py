import pytest

from models.training.face_data import BONA_FIDE, SPOOF, Trial
from models.training.face_report import PAIRS, LeftOut, pair_rate, report
from models.training.face_views import View


def left_out(
    label: str, source: str, raw: float, *, path: str = "p", view: str = "plain", forgery: str = "", attack: str = "-"
) -> LeftOut:
    trial = Trial(
        file=path, label=label, attack=attack, attack_type="-", kind="video", source=source, licence="MIT", path=path
    )
    made = View(trial=trial, name=view, forgery=forgery, channel="", times=(), landmarks=(), face_px=(), sharpness=())
    return LeftOut(view=made, raw=raw, halves=(raw, raw))


def test_the_report_holds_every_group_that_the_card_quotes() -> None:
    scored = [left_out(BONA_FIDE, PAIRS, 1.0 + i, path=f"{i}") for i in range(4)]
    scored += [left_out(SPOOF, PAIRS, -1.0 - i, path=f"{i}", attack="swap") for i in range(4)]
    scored += [left_out(BONA_FIDE, "o/h", 0.5), left_out(SPOOF, "o/h", 0.7, attack="lip")]
    figures = report(scored)
    assert figures["plain"]["swap_pairs"] == {
        "n_bona_fide": 4,
        "n_spoof": 4,
        "auc": 1.0,
        "auc_95": [1.0, 1.0],
        "eer": 0.0,
        "tpr_at_1_percent_fpr": 1.0,
        "below_own_genuine_half": 1.0,
    }
    assert figures["plain"]["all_but_swap_pairs"]["auc"] == 0.0
    assert figures["h264-300"]["all"] == {"n_bona_fide": 0, "n_spoof": 0}
    assert figures["by_attack"]["swap"]["n_bona_fide"] == 5
    assert figures["by_attack"]["lip"]["auc"] == 0.8
    assert figures["by_source"]["o/h"]["spoof"] == {"n": 1, "mean_raw": 0.7}


def test_what_was_forged_here_is_compared_with_genuine_clips_that_went_through_a_codec_too() -> None:
    scored = [left_out(BONA_FIDE, "o/h", 9.0), left_out(BONA_FIDE, "o/h", 1.0, view="coded")]
    scored += [left_out(BONA_FIDE, "o/h", 0.0, view="forged-1", forgery="rendered")]
    figures = report(scored)
    assert figures["forged_here"]["rendered"]["n_bona_fide"] == 1
    assert figures["forged_here"]["rendered"]["auc"] == 1.0


def test_the_pair_rate_compares_halves_of_one_recording_only() -> None:
    scored = [left_out(BONA_FIDE, PAIRS, raw, path=f"{i}") for i, raw in enumerate((5.0, -5.0))]
    scored += [left_out(SPOOF, PAIRS, raw, path=f"{i}") for i, raw in enumerate((4.0, -6.0))]
    assert pair_rate(scored) == 1.0
    assert pair_rate([*scored, left_out(SPOOF, PAIRS, 9.0, path="0")]) == pytest.approx(2 / 3, abs=1e-3)
    assert pair_rate([left_out(SPOOF, PAIRS, 9.0, path="alone")]) is None
