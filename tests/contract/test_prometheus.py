"""What Prometheus scrapes, and that the dashboard asks for nothing that is not there."""

import json
import re
from pathlib import Path

import httpx
from test_api import SilentModels, make_app, serving
from test_store_chain import BANK, alert, started

DASHBOARD = json.loads((Path(__file__).parents[2] / "stream" / "api" / "grafana.json").read_text())


async def test_alerts_cases_and_webhooks_are_counted_and_the_dashboard_knows_their_names(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        for make in (started("a"), alert("a")):
            await app.state.service.recorder.keep(make, BANK)
        told = (await client.get("/metrics")).text
    for line in (
        'kua_alerts_total{kind="raised"} 1.0',
        'kua_cases{status="open"} 1.0',
        'kua_webhook_messages{state="dead"} 0.0',
    ):
        assert line in told
    there = set(re.findall(r"^# TYPE (\w+)", told, re.MULTILINE)) | set(re.findall(r"^(kua_\w+)", told, re.MULTILINE))
    asked = {
        name
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
        for name in re.findall(r"kua_\w+", target["expr"])
    }
    # A latency has no line before the first batch.
    assert asked - {"kua_batch_latency_seconds"} <= there
    assert len(asked) >= 7
