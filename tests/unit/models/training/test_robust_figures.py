import numpy as np
import pytest

from models.training.conditions import NOT_APPLICABLE, Row
from models.training.face_data import BONA_FIDE, SPOOF, Trial
from models.training.robust_figures import (
    Table,
    bins,
    by_bins,
    by_source,
    detection,
    fall,
    hard_negatives,
    invariance,
    mean_interval,
    own_noise,
    raw_threshold,
    report,
)
from models.training.robust_markdown import markdown


def trial(number: int, label: str, source: str) -> Trial:
    return Trial(
        file=f"{label}-{number}.mp4",
        label=label,
        attack="-",
        attack_type="-",
        kind="video",
        source=source,
        licence="-",
    )


def row(file: str, condition: str, raw: float | None, **changes: object) -> Row:
    known: dict[str, object] = {
        "file": file,
        "condition": condition,
        "model": "m",
        "raw": raw,
        "llr": raw,
        "reason": None if raw is not None else "no_face",
        "n_windows": 3,
        "between_windows": 0.2,
        "half_gap": 0.4,
        "face_px": 100.0,
        "seconds": 0.1,
    }
    return Row(**(known | changes))  # type: ignore[arg-type]  # values of mixed types by name


TRIALS = [trial(i, label, f"page {i % 4}") for label in (BONA_FIDE, SPOOF) for i in range(20)]
BONA_FIDE_FILES = [t.file for t in TRIALS if t.label == BONA_FIDE]


def table(shift: float = 3.0, **conditions: float) -> Table:
    """Return plain scores whose classes are `shift` apart, and conditions that pull them together by a factor."""
    rng = np.random.default_rng(0)
    raws = {t.file: rng.normal() + shift * (t.label == BONA_FIDE) for t in TRIALS}
    rows = [row(file, "plain", raw) for file, raw in raws.items()]
    for name, factor in conditions.items():
        noise = np.random.default_rng(1).normal(0, 1 - factor, len(raws))
        rows += [
            row(f, name.replace("_", "-"), factor * raw + n) for (f, raw), n in zip(raws.items(), noise, strict=True)
        ]
    return Table(rows, TRIALS)


def test_a_condition_that_blurs_the_classes_falls_and_one_that_changes_nothing_does_not() -> None:
    scores = table(h264_300=0.1, padded_10=1.0)
    worse, same = fall(scores, "h264-300", 200), fall(scores, "padded-10", 200)
    assert worse["auc_fall"] > 0.1
    assert worse["auc_fall_95"][0] > 0
    assert worse["eer_fall"] > 0
    assert (same["auc_fall"], same["auc_fall_95"], same["eer_fall"]) == (0, [0, 0], 0)
    assert same["auc"] == detection(scores.scored("plain"), 200)["auc"]


def test_an_interval_holds_its_figure() -> None:
    figures = detection(table(shift=1.0).scored("plain"), 200)
    for name in ("auc", "eer", "tpr_at_1_percent_fpr"):
        low, high = figures[f"{name}_95"]
        assert low <= figures[name] <= high
        assert low < high


def test_a_clip_without_a_score_under_one_condition_is_left_out_of_both_and_counted() -> None:
    rows = [row(t.file, "plain", 1.0 if t.label == BONA_FIDE else 0.0) for t in TRIALS]
    rows += [row(t.file, "vp8-300", None if t.file.endswith("-3.mp4") else 0.0) for t in TRIALS]
    figures = fall(Table(rows, TRIALS), "vp8-300", 50)
    assert (figures["n_bona_fide"], figures["n_spoof"], figures["n_unjudged"]) == (19, 19, 2)
    assert figures["reasons"] == {"no_face": 2}
    assert (figures["auc"], figures["auc_fall"]) == (0.5, 0.5)


def test_where_all_clips_are_of_one_source_its_clips_are_drawn() -> None:
    alone = [trial(i, label, "page") for label in (BONA_FIDE, SPOOF) for i in range(4)]
    scored = Table([row(t.file, "plain", 0.0) for t in alone], alone).scored("plain")
    assert scored.sources == tuple(t.file for t in alone)


def test_one_class_alone_gives_counts() -> None:
    rows = [row(file, "plain", 0.0) for file in BONA_FIDE_FILES]
    assert detection(Table(rows, TRIALS).scored("plain")) == {"n_bona_fide": 20, "n_spoof": 0}


def test_rows_of_other_files_and_of_conditions_that_do_not_apply_are_left_out() -> None:
    rows = [row("elsewhere.mp4", "plain", 0.0), row(TRIALS[0].file, "face-40", None, reason=NOT_APPLICABLE)]
    assert Table(rows, TRIALS).conditions == ()


def test_the_noise_of_a_score_is_half_the_root_mean_square_of_its_halves_difference() -> None:
    rng = np.random.default_rng(0)
    trials = [trial(i, BONA_FIDE, "page") for i in range(4000)]
    halves = rng.normal(0, 2.0, (4000, 2))
    rows = [
        row(t.file, "plain", float(pair.mean()), half_gap=float(pair[0] - pair[1]))
        for t, pair in zip(trials, halves, strict=True)
    ]
    assert own_noise(Table(rows, trials))["raw"] == pytest.approx(halves.mean(axis=1).std(), rel=0.05)


def test_a_second_take_with_a_clips_own_noise_has_ratio_one_and_no_change_ratio_zero() -> None:
    rng = np.random.default_rng(0)
    trials = [trial(i, BONA_FIDE, "page") for i in range(4000)]
    rows = [row(t.file, "plain", float(raw)) for t, raw in zip(trials, rng.normal(0, 1, 4000), strict=True)]
    again = [row(t.file, "padded-10", float(raw)) for t, raw in zip(trials, rng.normal(0, 1, 4000), strict=True)]
    same = [row(r.file, "remux-mp4", r.raw) for r in rows]
    scores = Table(rows + again + same, trials)
    assert invariance(scores, "padded-10", {"raw": 1.0})["rms_over_noise"] == pytest.approx(1, abs=0.05)
    assert invariance(scores, "remux-mp4", {"raw": 1.0})["rms_over_noise"] == 0
    assert invariance(scores, "rescaled-90", {"raw": 1.0}) == {"n": 0}


@pytest.mark.parametrize(("n", "share"), [(100, 0.01), (100, 0.05), (210, 0.01), (7, 0.05), (20, 0.05)])
def test_a_raw_threshold_is_the_highest_that_keeps_its_share(n: int, share: float) -> None:
    scores = np.random.default_rng(0).permutation(np.arange(n, dtype=float))
    threshold = raw_threshold(scores, share)
    assert np.mean(scores < threshold) <= share < np.mean(scores <= threshold)


def test_a_hard_negative_counts_bona_fide_below_each_threshold_and_not_what_cannot_be_judged() -> None:
    rows = [row(file, "plain", float(i)) for i, file in enumerate(BONA_FIDE_FILES)]
    rows += [
        row(file, "hard-mask", None if i == 0 else float(i) - 6, llr=None if i == 0 else float(i) - 6)
        for i, file in enumerate(BONA_FIDE_FILES)
    ]
    figures = hard_negatives(Table(rows, TRIALS), 1.0, 100)
    mask = figures["kinds"]["mask"]
    assert figures["raw_thresholds"] == {"raw_bpcer_1%": 0.0, "raw_bpcer_5%": 1.0}
    assert (mask["n"], mask["n_unjudged"]) == (19, 1)
    # Scores -5 to 13: four below -1, five below 0, six below 1; plain 1 to 19.
    assert [mask[key]["hard"] for key in ("alert", "raw_bpcer_1%", "raw_bpcer_5%")] == pytest.approx(
        [4 / 19, 5 / 19, 6 / 19], abs=1e-4
    )
    assert [mask[key]["plain"] for key in ("alert", "raw_bpcer_1%", "raw_bpcer_5%")] == [0, 0, 0]
    low, high = mask["alert"]["hard_95"]
    assert low <= 4 / 19 <= high


def test_bins_take_their_lower_edge_and_leave_their_upper_to_the_next() -> None:
    inside = bins(np.array([0.0, 39.9, 40.0, 60.0, 130.0, 500.0]), (0, 40, 60, 1000))
    assert [part.sum() for part in inside] == [2, 1, 3]


def test_clips_are_binned_by_the_size_of_their_face() -> None:
    rows = [
        row(t.file, "plain", float(t.label == BONA_FIDE), face_px=50 if i % 2 else 200) for i, t in enumerate(TRIALS)
    ]
    rows[0] = row(TRIALS[0].file, "plain", None, face_px=30)
    found = by_bins(Table(rows, TRIALS), (0, 40, 100, 1000), 50)
    assert found["0-40"] == {"n_bona_fide": 0, "n_spoof": 0}
    assert (found["40-100"]["n_bona_fide"], found["40-100"]["auc"]) == (10, 1.0)
    assert found["100-1000"]["n_bona_fide"] == 9


def test_the_interval_of_a_mean_widens_when_clips_of_a_source_go_together() -> None:
    values = np.repeat([0.0, 1.0, 0.0, 1.0], 25)
    together = mean_interval(values, np.repeat(list("abcd"), 25).tolist(), 500)
    apart = mean_interval(values, [str(i) for i in range(100)], 500)
    assert together[1] - together[0] > 3 * (apart[1] - apart[0])
    assert apart[0] < 0.5 < apart[1]


def test_sources_with_both_classes_have_a_figure_of_their_own() -> None:
    found = by_source(table(shift=50.0, h264_300=0.5), ["h264-300"])
    assert list(found) == [f"page {i}" for i in range(4)]
    assert found["page 0"] == {"n_bona_fide": 5, "n_spoof": 5, "plain": 1.0, "h264-300": 1.0}


def test_a_report_and_its_tables_name_every_condition() -> None:
    scores = table(h264_300=0.5, vp8_300=0.5, padded_10=1.0, face_60=0.8, hard_mask=0.9)
    result = report(scores, drift_nat=1.0, kbit_s=[300], n_draws=20)
    text = markdown(result | {"model": "m", "clips": 40, "metadata": {"auc_leave_one_source_out": 0.5}})
    for name in ("h264-300", "vp8-300", "padded-10", "face-60", "| mask |", "h264 300", "0-40"):
        assert name in text
    widths = {line.count("|") for line in text.split("## Conditions")[1].split("##")[0].splitlines() if "|" in line}
    assert len(widths) == 1
