"""Kills the service at random moments under load, and holds what viewers were told against what its store has.

    python tests/bench/kill_service.py --kills 200

Calls alert, end and begin anew all the time, people claim, note and decide, a viewer listens from its last `seq` on.
After each SIGKILL the service starts on the same store. At the end: nothing that was pushed or acknowledged is missing,
nothing came twice, every chain holds, every call that began has ended once. The detector is a stand-in that calls every
window forged: what is tested is what follows an alert. One JSON line is printed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import websockets

from stream.alerts import chain
from stream.alerts.store import Store
from stream.alerts.vault import Vault

ROOT = Path(__file__).parents[2]
SERVE = """
import sys, uvicorn
sys.path[:0] = [{tests!r}, {unit!r}]
from kill_models import make_app
uvicorn.run(make_app({folder!r}), host="127.0.0.1", port={port}, log_level="critical")
"""


class Viewer:
    """Listens, and goes on after the last event that it has."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.events: list[dict[str, Any]] = []

    async def listen(self) -> None:
        """Listen for good, through every kill."""
        while True:
            after = self.events[-1]["seq"] if self.events else 0
            with contextlib.suppress(OSError, websockets.WebSocketException):
                async with websockets.connect(f"{self.url}/v1/alerts?after={after}", max_size=None) as live:
                    async for text in live:
                        message = json.loads(text)
                        if "seq" in message and message["type"] != "hello":
                            self.events.append(message)
            await asyncio.sleep(0.05)


async def work(url: str, rng: random.Random, viewer: Viewer, done: list[int]) -> None:
    """Do to cases what people do, as fast as the service answers; count what it said was stored."""
    async with httpx.AsyncClient(base_url=url.replace("ws", "http", 1), timeout=5) as client:
        while True:
            alerts = [event["id"] for event in viewer.events[-50:] if event["type"] == "alert"]
            if not alerts:
                await asyncio.sleep(0.05)
                continue
            alert, deed = rng.choice(alerts), rng.choice(("claimed", "released", "note"))
            with contextlib.suppress(httpx.HTTPError):
                reply = await client.post(f"/v1/cases/{alert}/deeds", json={"deed": deed, "note": "seen"})
                if reply.status_code == 201:
                    done.append(reply.json()["seq"])
                reply = await client.post(f"/v1/alerts/{alert}/label", json={"label": "unclear"})
                if reply.status_code == 200:
                    done.append(reply.json()["seq"])
            await asyncio.sleep(0.02)


def start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the service in a process of its own."""
    tests, unit = str(ROOT / "tests" / "bench"), str(ROOT)
    code = SERVE.format(tests=tests, unit=unit, folder=str(folder), port=port)
    with (folder / "service.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=log, stderr=log, env=dict(os.environ))


async def ready(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers."""
    async with httpx.AsyncClient() as client:
        while True:
            if process.poll() is not None:
                raise RuntimeError("the service ended by itself; see its log")
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


async def run(kills: int, seed: int, folder: Path) -> dict[str, Any]:
    """Kill so often, and return what was found."""
    rng = random.Random(seed)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    viewer, done = Viewer(f"ws://127.0.0.1:{port}"), list[int]()
    began = time.monotonic()
    tasks = [asyncio.create_task(viewer.listen()), asyncio.create_task(work(viewer.url, rng, viewer, done))]
    for i in range(kills + 1):
        process = start(folder, port)
        await ready(port, process)
        await asyncio.sleep(rng.uniform(0.0, 1.5))
        process.send_signal(signal.SIGKILL if i < kills else signal.SIGTERM)
        await asyncio.to_thread(process.wait)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    found = await compare(folder, viewer, done)
    return {"kills": kills, "seed": seed, "seconds": round(time.monotonic() - began), **found}


async def compare(folder: Path, viewer: Viewer, done: list[int]) -> dict[str, Any]:
    """Hold what the viewer has against the store."""
    store = Store(f"sqlite+aiosqlite:///{folder / 'kua.sqlite'}", Vault(folder / "keys"))
    await store.open()
    kept: list[dict[str, Any]] = []
    while page := await store.after(kept[-1]["seq"] if kept else 0):
        kept += [event.model_dump(mode="json") for event in page]
    by_seq = {event["seq"]: event for event in kept}
    told = Counter(event["seq"] for event in viewer.events)
    newest = max(told, default=0)
    broken = 0
    for session in {event["session"] for event in kept}:
        links = [(row.seq, row.body_sha256, row.chain) for row, _ in await store.links(session)]
        broken += chain.broken(links) is not None
    await store.close()
    raised = Counter(event["id"] for event in kept if event["type"] == "alert" and event["kind"] == "raised")
    began = Counter(event["session"] for event in kept if event["type"] == "session_started")
    ended = Counter(event["session"] for event in kept if event["type"] == "session_ended")
    return {
        "events": len(kept),
        "alerts": len(raised),
        "told": len(told),
        "told_but_lost": sum(by_seq.get(event["seq"]) != event for event in viewer.events),
        "kept_but_never_told": sum(event["seq"] <= newest and event["seq"] not in told for event in kept),
        "told_twice": sum(n - 1 for n in told.values()),
        "told_out_of_order": sum(a["seq"] >= b["seq"] for a, b in zip(viewer.events, viewer.events[1:], strict=False)),
        "acknowledged_but_lost": sum(seq not in by_seq for seq in done),
        "alerts_raised_twice": sum(n - 1 for n in raised.values()),
        "calls": len(began),
        "calls_not_ended_once": sum(ended[session] != 1 for session in began),
        "broken_chains": broken,
    }


BAD = (
    *("told_but_lost", "kept_but_never_told", "told_twice", "told_out_of_order", "acknowledged_but_lost"),
    *("alerts_raised_twice", "calls_not_ended_once", "broken_chains"),
)


def main() -> None:
    """Print one JSON line; exit with 1 if anything was lost, came twice or does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(given.kills, given.seed, Path(folder)))
    print(json.dumps(found))
    sys.exit(any(found[name] for name in BAD))


if __name__ == "__main__":
    main()
