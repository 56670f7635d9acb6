"""The robustness report as tables for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def markdown(result: Mapping[str, Any]) -> str:
    """Return a report's figures as Markdown tables.

    Args:
        result: What `models.training.robustness` writes.
    """
    plain, metadata, noise = result["plain"], result["metadata"], result["own_noise"]
    parts = [
        f"Model `{result['model']}`, {result['clips']} clips; 95 % intervals over sources. Raw scores: up = bona fide.",
        f"Plain: AUC {_with(plain, 'auc')}, EER {_with(plain, 'eer')}, TPR at 1 % FPR "
        f"{_with(plain, 'tpr_at_1_percent_fpr')}; {plain['n_bona_fide']} bona fide, {plain['n_spoof']} spoof, "
        f"{plain['n_unjudged']} unjudged. By metadata alone, each source by a fit without it: AUC "
        f"{_with(metadata, 'auc_leave_one_source_out')}; fitted on the same clips: "
        f"{_number(metadata.get('auc_fitted_on_the_same_clips'))}.",
        _section("Conditions", _conditions(result["conditions"])),
        _section("By bit rate [kbit/s]", _conditions(_flat(result["by_kbit_s"]))),
        _section("By face size [px]", _bins(result["by_face_px"])),
        _section("The same clips shrunk to a face size [px]", _conditions(result["shrunk_to_face_px"])),
        _section(f"Invariance: change of the raw score, own noise {_number(noise['raw'])}", _moves(result)),
        _section("Hard negatives: BPCER, plain to hard", _hard(result["hard_negatives"])),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, table: str) -> str:
    return f"## {title}\n\n{table}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _conditions(conditions: Mapping[str, Mapping[str, Any]]) -> str:
    head = ["condition", "bona fide, spoof", "unjudged", "AUC", "fall of AUC", "EER", "TPR at 1 % FPR"]
    return _table(
        head,
        (
            [
                name,
                f"{row['n_bona_fide']}, {row['n_spoof']}",
                str(row["n_unjudged"]),
                *(_with(row, key) for key in ("auc", "auc_fall", "eer", "tpr_at_1_percent_fpr")),
            ]
            for name, row in conditions.items()
        ),
    )


def _bins(bins: Mapping[str, Mapping[str, Any]]) -> str:
    return _table(
        ["face", "bona fide, spoof", "AUC", "EER"],
        (
            [name, f"{row['n_bona_fide']}, {row['n_spoof']}", _with(row, "auc"), _with(row, "eer")]
            for name, row in bins.items()
        ),
    )


def _moves(result: Mapping[str, Any]) -> str:
    keys = ("mean", "rms", "median_abs", "p95_abs", "rms_over_noise")
    return _table(
        ["condition", "clips", "mean", "rms", "median", "95 %", "rms over noise"],
        ([name, str(row["n"]), *(_number(row.get(k)) for k in keys)] for name, row in result["invariance"].items()),
    )


def _hard(hard: Mapping[str, Any]) -> str:
    names = {"alert": f"llr < {hard['alert_llr']:g}"}
    names |= {key: f"raw < {value:g} ({key[-2:]} of plain)" for key, value in hard["raw_thresholds"].items()}
    rows = []
    for kind, row in hard["kinds"].items():
        rates = [row.get(key) for key in names]
        cells = [f"{_number(rate['plain'])} to {_with(rate, 'hard')}" if rate else "-" for rate in rates]
        rows.append([kind, str(row["n"]), str(row["n_unjudged"]), *cells])
    return _table(["kind", "clips", "unjudged", *names.values()], rows)


def _flat(nested: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{outer} {inner}": row for outer, rows in nested.items() for inner, row in rows.items()}


def _with(row: Mapping[str, Any], key: str) -> str:
    interval = row.get(f"{key}_95")
    return _number(row.get(key)) + (f" ({_number(interval[0])} to {_number(interval[1])})" if interval else "")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
