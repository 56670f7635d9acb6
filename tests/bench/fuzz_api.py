"""Sends what the OpenAPI description allows and what it does not to a running service; any 5xx is a failure.

    python tests/bench/fuzz_api.py --seconds 600

Needs schemathesis. The service runs without nets and with a few calls and cases, so that routes find something.
Left out are the live stream, which never ends, and SDP offers, which schemathesis cannot make:
tests/unit/stream/ingest does. One JSON line is printed.
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
from pathlib import Path
from typing import Any

import structlog
import uvicorn

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "bench"), str(ROOT / "tests" / "unit" / "stream")]

from kill_models import make_app  # noqa: E402  # after the path
from test_store_chain import alert, ended, started  # noqa: E402

from stream.scope import Scope  # noqa: E402

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


LEFT_OUT = ("/v1/alerts/stream", "/whip", "/v1/sessions/{session}/watch")


def serve(folder: str, port: int, ready: threading.Event) -> uvicorn.Server:
    """Run the service in a thread of its own, with cases."""
    app = make_app(folder)
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


def fuzz(port: int, seconds: int, seed: int, folder: str) -> tuple[int, str]:
    """Return schemathesis' exit status and what it said; what it remembers it leaves in the folder."""
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"http://127.0.0.1:{port}/openapi.json"),
        *("--checks", "not_a_server_error", "--max-time", str(seconds), "--seed", str(seed), "--continue-on-failure"),
        *(part for path in LEFT_OUT for part in ("--exclude-path", path)),
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
    ready, began = threading.Event(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        server = serve(folder, port, ready)
        if not ready.wait(60):
            raise SystemExit("the service did not start")
        status, said = fuzz(port, given.seconds, given.seed, folder)
        server.should_exit = True
        time.sleep(2)
    cases = re.search(r"(\d+) generated", said)
    found: dict[str, Any] = {
        "seconds": round(time.monotonic() - began),
        "requests": int(cases[1]) if cases else None,
        "server_errors": said.count("Server error"),
        "status": status,
    }
    if status:
        print(said[-6000:], file=sys.stderr)
    print(json.dumps(found))
    sys.exit(status)


if __name__ == "__main__":
    main()
