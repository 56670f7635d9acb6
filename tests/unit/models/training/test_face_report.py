from models.training.face_batches import HELD_OUT
from models.training.face_data import BONA_FIDE, SPOOF, Trial
from models.training.face_report import PAIRS, PLAIN, Scored, report


def scored(label: str, source: str, raw: float, file: str = "f") -> Scored:
    trial = Trial(file=file, label=label, attack="-", attack_type="-", kind="video", source=source, licence="MIT")
    return Scored(trial=trial, raw=raw)


def test_the_report_holds_every_group_that_the_card_quotes() -> None:
    plain = min(PLAIN)
    trials = [scored(BONA_FIDE, PAIRS, 1.0 + i, f"b{i}") for i in range(4)]
    trials += [scored(SPOOF, PAIRS, -1.0 - i, f"s{i}") for i in range(4)]
    trials += [scored(BONA_FIDE, "o/h", 0.5), scored(SPOOF, "o/h", 0.7), scored(BONA_FIDE, plain, 2.0)]
    figures = report(trials)
    assert figures["swap_pairs"] == {"n_bona_fide": 4, "n_spoof": 4, "auc": 1.0, "auc_95": [1.0, 1.0], "eer": 0.0}
    assert figures["lip_sync_and_heads"]["auc"] == 0.0
    assert (figures["all"]["n_bona_fide"], figures["all"]["n_spoof"]) == (6, 5)
    assert figures["by_source"][plain] == {BONA_FIDE: {"n": 1, "mean_raw": 2.0}}
    assert PLAIN | {PAIRS} <= HELD_OUT
