"""False alerts and finds of the whole decision on sources that were left out of training.

    python tests/bench/bench_decision.py face --data ../shared/data/face
    python tests/bench/bench_decision.py voice --data ../shared/data/voice

Each left-out source's genuine clips are joined into one call, so that its own bias stays in it; its scores are
calibrated on the other left-out sources only. Prints one JSON line: alerts raised in that many genuine hours, and the
share of spoof clips of each attack type that raise one when they are played twice.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import torch

from models.checkpoint import Calibration
from models.training import calibrate, voice_data
from models.training.calibrate import ScoredClip
from models.training.face_batches import HELD_OUT
from models.window import HOP_S, WINDOW_S, Score, Signal
from stream.decision import CallDecision, Policy
from stream.events import AlertKind
from stream.settings import Settings


def alerts(raws: list[float], calibration: Calibration, signal: Signal, policy: Policy) -> int:
    """Count the alerts of one call of these windows."""
    call, raised = CallDecision(policy), 0
    for i, raw in enumerate(raws):
        end_s = WINDOW_S + i * HOP_S
        score = Score(
            signal=signal,
            track=1,
            start_s=end_s - WINDOW_S,
            end_s=end_s,
            llr=calibration.llr(raw),
            reason=None,
            analysed_s=WINDOW_S,
        )
        raised += call.update([score])[1] is AlertKind.RAISED
    return raised


def measure(clips: list[ScoredClip], signal: Signal, policy: Policy) -> dict[str, object]:
    false_alerts: dict[str, int] = {}
    hours, found = 0.0, defaultdict[str, list[bool]](list)
    for source in sorted({clip.source for clip in clips}):
        calibration = calibrate.fit([clip for clip in clips if clip.source != source])
        mine = [clip for clip in clips if clip.source == source]
        genuine = [raw for clip in mine if clip.attack_type == "-" for raw in clip.raw]
        hours += len(genuine) * HOP_S / 3600
        if genuine and (raised := alerts(genuine, calibration, signal, policy)):
            false_alerts[source] = raised
        for clip in mine:
            if clip.attack_type != "-":
                found[clip.attack_type].append(alerts([*clip.raw, *clip.raw], calibration, signal, policy) > 0)
    return {
        "signal": signal,
        "alert_nat": policy.alert_nat,
        "drift_nat": policy.drift_nat,
        "false_alerts": sum(false_alerts.values()),
        "genuine_hours": round(hours, 3),
        "false_alerts_by_source": false_alerts,
        "spoof_clips_alerted": {kind: f"{sum(hits)} of {len(hits)}" for kind, hits in sorted(found.items())},
    }


def main() -> None:
    defaults = Settings()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("signal", choices=("face", "voice"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--alert-nat", type=float, nargs="+", default=[defaults.alert_nat])
    parser.add_argument("--drift-nat", type=float, nargs="+", default=[defaults.drift_nat])
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.signal == "face":
        clips = calibrate.score_faces(given.data, frozenset(HELD_OUT))
    else:
        clips = calibrate.score_voices(given.data, voice_data.LEFT_OUT)
    for alert_nat in given.alert_nat:
        for drift_nat in given.drift_nat:
            policy = Policy(alert_nat=alert_nat, drift_nat=drift_nat)
            print(json.dumps(measure(clips, Signal(given.signal), policy)))


if __name__ == "__main__":
    main()
