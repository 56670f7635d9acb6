"""Sends what the OpenAPI description allows and what it does not to a running service; any 5xx is a failure.

    python tests/bench/fuzz_api.py --seconds 600

Needs schemathesis. The service runs without nets and with a few calls and cases, whose ids are among the examples, so
that routes find something. Requests come with an administrator's token: the first token that schemathesis makes would
lock it out. More than a tenth of refusals (401, 403, 429) is a failure too. Left out are the live stream, which never
ends, and SDP offers, which schemathesis cannot make: tests/unit/stream/ingest does. One JSON line is printed.
"""

import argparse
import asyncio
import json
import logging
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "bench"), str(ROOT / "tests" / "unit" / "stream")]

from kill_models import make_app  # noqa: E402  # after the path
from test_store_chain import alert, ended, started  # noqa: E402

from stream.scope import Scope  # noqa: E402

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


TOKEN = "a token of the fuzzer"
REFUSED = (401, 403, 429)
MAX_REFUSED = 0.1
KNOWN = {"session": ["a", "b"], "alert": ["alert-a", "alert-b"], "session_id": ["a"]}
"""Ids that are there, by parameter."""

LEFT_OUT = ("/v1/alerts/stream", "/whip", "/v1/sessions/{session}/watch")


def serve(folder: str, port: int, ready: threading.Event, statuses: Counter[int]) -> uvicorn.Server:
    """Run the service in a thread of its own, with cases."""
    app = make_app(folder, TOKEN)
    counted(app, statuses)
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="error"))

    async def run() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        for session in ("a", "b"):
            for make in (started(session), alert(session), ended(session)):
                await app.state.service.recorder.keep(make, Scope())
        ready.set()
        await serving

    threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
    return server


def counted(app: FastAPI, statuses: Counter[int]) -> None:
    """Count the answers of a service, and give its description ids that are there."""

    @app.middleware("http")
    async def count(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        statuses[response.status_code] += 1
        return response

    described = app.openapi

    def with_ids() -> dict[str, Any]:
        schema = described()
        for path in schema["paths"].values():
            for operation in path.values():
                for parameter in operation.get("parameters", ()):
                    if parameter["in"] == "path" and parameter["name"] in KNOWN:
                        parameter["schema"] = {"enum": [*KNOWN[parameter["name"]], "nothing"]}
                        parameter.pop("example", None)
        return schema

    app.openapi = with_ids  # type: ignore[method-assign]  # as FastAPI's documentation has it


def fuzz(port: int, seconds: int, seed: int, folder: str) -> tuple[int, str]:
    """Return schemathesis' exit status and what it said; what it remembers it leaves in the folder."""
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"http://127.0.0.1:{port}/openapi.json"),
        *("--checks", "not_a_server_error", "--max-time", str(seconds), "--seed", str(seed), "--continue-on-failure"),
        *(part for path in LEFT_OUT for part in ("--exclude-path", path)),
        *("-H", f"Authorization: Bearer {TOKEN}"),
        *("--no-color", "--warnings", "off", "--request-timeout", "20"),
        *("--generation-database", "none", "--suppress-health-check", "all", "-n", "100000"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def main() -> None:
    """Print one JSON line; exit with 1 if a request was answered with an error of ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ready, began, statuses = threading.Event(), time.monotonic(), Counter[int]()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = serve(folder, port, ready, statuses)
        if not ready.wait(60):
            raise SystemExit("the service did not start")
        status, said = fuzz(port, given.seconds, given.seed, folder)
        server.should_exit = True
        time.sleep(2)
    cases = re.search(r"(\d+) generated", said)
    refused = sum(statuses[code] for code in REFUSED) / max(statuses.total(), 1)
    found: dict[str, Any] = {
        "seconds": round(time.monotonic() - began),
        "requests": int(cases[1]) if cases else None,
        "statuses": {code: n for code, n in sorted(statuses.items())},
        "refused_share": round(refused, 3),
        "server_errors": said.count("Server error"),
        "status": status,
    }
    if status:
        print(said[-6000:], file=sys.stderr)
    print(json.dumps(found))
    sys.exit(status or refused > MAX_REFUSED)


if __name__ == "__main__":
    main()
