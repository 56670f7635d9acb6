"""Tests of routes take makers of events from the tests of the store."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "stream"))
