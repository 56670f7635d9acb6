"""Nothing that was told is lost where the service is killed: a few of the kills of `tests/bench/kill_service.py`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench" / "kill_service.py"


@pytest.mark.timeout(180)
def test_a_killed_service_loses_and_repeats_no_alert_and_its_chains_hold() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH), "--kills", "4", "--seed", "9"], capture_output=True, text=True, timeout=170
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["kills"] == 4
    assert found["alerts"] > 0
