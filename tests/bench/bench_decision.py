"""False alerts and finds of the whole decision on sources that were left out of training.

    python tests/bench/bench_decision.py face --left-out LEFT_OUT.json
    python tests/bench/bench_decision.py voice --left-out LEFT_OUT.json

The clips last a few seconds, so calls are composed of them: the genuine clips of one scene over and over for a minute;
a spoof clip over and over for a minute; and twenty seconds of a genuine scene that a spoof of the same scene takes
over. Scores are calibrated on the other left-out sources only. Repetition makes these calls smoother than real ones,
and a minute of one recording is one recording: read the figures as a comparison of settings, not as a promise. The
scores are those that the trainings kept of each source from a model trained without it.
Prints one JSON line a setting.
"""

import argparse
import itertools
import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from models.calibration import Calibration
from models.training import calibrate
from models.training.calibrate import ScoredClip
from models.window import HOP_S, WINDOW_S, Score, Signal
from stream.decision import CallDecision
from stream.events import AlertKind
from stream.policy import Policy
from stream.settings import Settings

CALL_WINDOWS, START_WINDOWS = 120, 40
Maps = tuple[Calibration, Calibration]


def first_alert(raws: Iterable[float], maps: Maps, signal: Signal, policy: Policy) -> int | None:
    """Return the window at which one call of these windows raises its first alert."""
    call = CallDecision(policy, {signal: maps[1]})
    for i, raw in enumerate(raws):
        end_s = WINDOW_S + i * HOP_S
        score = Score(
            signal=signal,
            track=1,
            start_s=end_s - WINDOW_S,
            end_s=end_s,
            llr=maps[0].llr(raw),
            raw=raw,
            reason=None,
            analysed_s=WINDOW_S,
        )
        if call.update([score])[1] is AlertKind.RAISED:
            return i
    return None


def looped(raws: Sequence[float], n: int) -> list[float]:
    return list(itertools.islice(itertools.cycle(raws), n))


def measure(clips: list[ScoredClip], signal: Signal, policy: Policy) -> dict[str, object]:
    false_alerts: dict[str, int] = defaultdict(int)
    n_calls, whole, onset = 0, defaultdict[str, list[bool]](list), defaultdict[str, list[float]](list)
    for source in sorted({clip.source for clip in clips}):
        others = [clip for clip in clips if clip.source != source]
        maps = calibrate.fit(others), calibrate.fit(calibrate.differences(others))
        genuine: dict[str, list[float]] = defaultdict(list)
        for clip in clips:
            if clip.source == source and clip.attack_type == "-":
                genuine[clip.scene] += clip.raw
        for raws in genuine.values():
            n_calls += 1
            false_alerts[source] += first_alert(looped(raws, CALL_WINDOWS), maps, signal, policy) is not None
        for clip in (clip for clip in clips if clip.source == source and clip.attack_type != "-"):
            found = first_alert(looped(clip.raw, CALL_WINDOWS), maps, signal, policy)
            whole[clip.attack_type].append(found is not None)
            if start := genuine.get(clip.scene):
                raws = looped(start, START_WINDOWS) + looped(clip.raw, START_WINDOWS)
                found = first_alert(raws, maps, signal, policy)
                is_found = found is not None and found >= START_WINDOWS
                seconds = ((found or 0) - START_WINDOWS) * HOP_S
                onset[clip.attack_type].append(seconds if is_found else float("inf"))
    return {
        "signal": signal,
        "alert_nat": policy.alert_nat,
        "drift_nat": policy.drift_nat,
        "genuine_minutes": n_calls,
        "false_alerts": sum(false_alerts.values()),
        "false_alerts_by_source": {source: n for source, n in false_alerts.items() if n},
        "spoof_minutes_alerted": {kind: f"{sum(hits)} of {len(hits)}" for kind, hits in sorted(whole.items())},
        "takeovers_alerted": {
            kind: f"{sum(s < 20 for s in seconds)} of {len(seconds)}" for kind, seconds in sorted(onset.items())
        },
        "median_s_of_alerted_takeovers": {
            kind: statistics.median(heard)
            for kind, seconds in sorted(onset.items())
            if (heard := [s for s in seconds if s < 20])
        },
    }


def main() -> None:
    defaults = Settings()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("signal", choices=("face", "voice"))
    parser.add_argument("--left-out", type=Path, required=True, help="what the training scored")
    parser.add_argument("--alert-nat", type=float, nargs="+", default=[defaults.alert_nat])
    parser.add_argument("--drift-nat", type=float, nargs="+", default=[defaults.drift_nat])
    given = parser.parse_args()
    read = calibrate.read_faces if given.signal == "face" else partial(calibrate.read_voices, conditions={"clean"})
    clips = read(given.left_out)
    clips = [clip for clip in clips if clip.raw]
    for alert_nat, drift_nat in itertools.product(given.alert_nat, given.drift_nat):
        policy = Policy(alert_nat=alert_nat, drift_nat=drift_nat)
        print(json.dumps(measure(clips, Signal(given.signal), policy)))


if __name__ == "__main__":
    main()
