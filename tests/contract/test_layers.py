"""Who may import whom: `stream` imports `models`, never the reverse; nothing that serves imports training code."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported_by(folder: str) -> dict[str, set[str]]:
    """Return the modules that each source file of a folder imports, `from a import b` as both a and a.b."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
        found[str(path.relative_to(ROOT))] = names
    assert found
    return found


def test_models_know_nothing_of_the_service() -> None:
    wrong = {path for path, names in imported_by("models").items() if any(n.split(".")[0] == "stream" for n in names)}
    assert wrong == set()


def test_nothing_that_serves_imports_training() -> None:
    serving = imported_by("stream") | {
        path: names for path, names in imported_by("models").items() if not path.startswith("models/training/")
    }
    assert {p for p, names in serving.items() if any(n.startswith("models.training") for n in names)} == set()


def test_torchaudio_is_imported_in_one_place() -> None:
    """Everybody else takes it from there: its import needs help beside a CPU-only torch."""
    imports = re.compile(r"^\s*(import|from) torchaudio\b|import_module\(\"torchaudio\"\)", re.MULTILINE)
    sources = [path for folder in ("models", "stream") for path in (ROOT / folder).rglob("*.py")]
    users = {str(path.relative_to(ROOT)) for path in sources if imports.search(path.read_text())}
    assert users == {"models/audio_features.py"}


def test_pure_modules_do_no_input_or_output() -> None:
    pure = {
        *("stream/windower.py", "stream/decision.py", "stream/call_state.py", "stream/coverage.py", "stream/camera.py"),
        *("stream/ledger.py", "stream/events.py", "models/window.py", "models/metrics.py"),
        *("models/evidence.py", "models/call_evidence.py", "models/composed_calls.py"),
    }
    forbidden = {"asyncio", "socket", "time", "threading", "os", "subprocess", "httpx", "av"}
    sources = imported_by("stream") | imported_by("models")
    assert {p for p in pure if {n.split(".")[0] for n in sources[p]} & forbidden} == set()


def test_the_vocabulary_of_a_call_loads_no_network() -> None:
    """The process that opens an untrusted clip imports it, and has a second and little memory."""
    code = "import sys, stream.events; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
