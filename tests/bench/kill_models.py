"""A service without nets for `kill_service.py`: every voice is forged, and calls begin and end by themselves."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI

from models.calibration import Calibration
from models.faces import Detection
from models.promise import WIDEBAND, save, shipped
from models.window import Batch, Pixels, Reason, Score, Signal, scored, unscored
from stream.api.app import create_app
from stream.events import Gap, Medium
from stream.explainer import Explainable
from stream.settings import Settings

CALLS = 4


class ForgedVoices:
    """Calls every voice window forged; sees no faces."""

    digests = {"voice": "e" * 12}  # noqa: RUF012  # as a detector's
    longs: dict[Signal, dict[int, Calibration]] = {}  # noqa: RUF012

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        return ()

    def score(self, batch: Batch) -> Sequence[Score]:
        return [
            scored(w, raw=-6.0, llr=-6.0, analysed_s=4.0) if w.signal is Signal.VOICE else unscored(w, Reason.LOST)
            for w in batch
        ]

    def explain(self, window: Explainable) -> None:
        return None


def make_app(folder: str, token: str = "") -> FastAPI:
    """Return the service, with calls that come and go as long as it runs."""
    decision = Path(folder) / "decision.json"
    model = shipped()
    lowest = replace(model.thresholds[WIDEBAND], nats=(0.1,) * 7, upper_nats=(0.1,) * 7)
    save(replace(model, models={}, thresholds=dict.fromkeys(model.thresholds, lowest)), decision)
    settings = Settings(data_dir=Path(folder), decision_file=decision, requests_per_minute=1_000_000, token=token)
    app = create_app(settings, ForgedVoices(), device="cpu:none", workers=1)
    serve = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with serve(app):
            calling = [asyncio.create_task(call(app, i)) for i in range(CALLS)]
            yield
            for task in calling:
                task.cancel()

    app.router.lifespan_context = lifespan
    return app


async def call(app: FastAPI, i: int) -> None:
    """Open calls one after the other; each alerts and ends within half a second."""
    n = 0
    while True:
        session = app.state.service.desk.open(source="test", name=f"Call {i}.{n}")
        for k in range(20):
            session.push(Gap(medium=Medium.AUDIO, start_s=k / 2, end_s=(k + 1) / 2))
            await asyncio.sleep(0.02)
        session.close("hung up")
        n += 1
