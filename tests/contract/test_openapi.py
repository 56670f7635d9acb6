"""The OpenAPI description: all routes are described, all messages have examples that they accept, none is a 5xx."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel
from test_api import SilentModels, make_app

from stream.api.examples import example_of, messages

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("message", messages(), ids=lambda message: message.__name__)
def test_every_message_has_an_example_that_it_accepts(message: type[BaseModel]) -> None:
    example = example_of(message)
    assert message.model_validate_json(json.dumps(example)).model_dump(mode="json") == example


def test_every_route_is_described_and_every_message_in_it_has_an_example(tmp_path: Path) -> None:
    schema = make_app(tmp_path, SilentModels()).openapi()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert len(operation.get("description", "")) > 5, (method, path)
            assert operation["tags"], (method, path)
    messages = {name for name in schema["components"]["schemas"] if name.endswith(("Message", "Request"))}
    assert len(messages) > 30
    for name in messages:
        assert schema["components"]["schemas"][name]["examples"], name


@pytest.mark.timeout(240)
def test_nothing_that_the_description_allows_or_forbids_is_answered_with_an_error_of_ours() -> None:
    command = [sys.executable, str(ROOT / "tests" / "bench" / "fuzz_api.py"), "--seconds", "20"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["server_errors"] == 0
    assert found["requests"] > 200
