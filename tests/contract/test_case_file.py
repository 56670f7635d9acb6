"""A case file holds everything that is known of an alert, and verifies offline; every change of it is found."""

import asyncio
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import websockets
from sqlalchemy.exc import OperationalError
from test_api import serving, until
from test_explanations import FaceModels, VoiceModels, make_app, show, speak

from models.challenge import Challenge, ChallengeKind, Outcome, Step
from models.challenge_score import Judgement
from models.training.decision_own import recordings
from stream.alerts.verify import CaseFileError, verify
from stream.checks.challenges import Asked, Result
from stream.decision import CallDecision
from stream.events import Alert, AlertKind


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, quick_decision: Path) -> None:
    monkeypatch.setenv("KUA_DECISION_FILE", str(quick_decision))


CHECK = Result(
    asked=Asked(id="c", challenge=Challenge(kind=ChallengeKind.TURN, steps=(Step.LEFT,)), asked_s=5.0, by="Dana"),
    judgement=Judgement(outcome=Outcome.FOLLOWED, llr=0.7, latency_s=1.0, span_s=(6.0, 8.0), steps=("left",)),
    before_nat=3.0,
    after_nat=2.3,
)


@asynccontextmanager
async def alerted(folder: Path, models: FaceModels, **settings: object) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """Serve, with a call that was alerted, explained and has ended; yield a client and the alert."""
    app = make_app(folder, models, keep_days=30, **settings)
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        async with websockets.connect(f"ws://{address}/v1/alerts?after=0") as live:
            session = app.state.service.desk.open(source="test", name="=A call")
            await (speak(session) if isinstance(models, VoiceModels) else show(session))
            told = await until(live, "voice_explanation" if isinstance(models, VoiceModels) else "explanation")
            app.state.service.desk.on_challenge(session, CHECK)
            session.close("hung up")
            await until(live, "session_ended")
            await app.state.service.desk.settle()
        yield client, str(told["alert"])


async def saved(client: httpx.AsyncClient, alert: str, path: Path) -> zipfile.ZipFile:
    reply = await client.get(f"/v1/cases/{alert}/case.zip")
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    await asyncio.to_thread(path.write_bytes, reply.content)
    return zipfile.ZipFile(io.BytesIO(reply.content))


async def test_a_case_file_holds_faces_maps_readings_events_and_reports_and_verifies(tmp_path: Path) -> None:
    async with alerted(tmp_path, FaceModels()) as (client, alert):
        note = {"deed": "claimed", "note": "I know this man"}
        assert (await client.post(f"/v1/cases/{alert}/deeds", json=note)).status_code == 201
        said = {"label": "spoof", "reason": "the chin"}
        assert (await client.post(f"/v1/alerts/{alert}/label", json=said)).status_code == 200
        archive = await saved(client, alert, tmp_path / "case.zip")
        assert (await client.get(f"/v1/cases/{alert}/timeline")).status_code == 200
        assert "explanation" in {event["type"] for event in (await client.get("/v1/events")).json()}
        await client.get("/v1/events")
        log = (await client.get("/v1/audit")).json()
        about = (await client.get("/v1/about")).json()
    names = archive.namelist()
    for part in ("evidence/face-", "evidence/face_map-", "evidence/timeline.json", "report-kk.pdf", "events.jsonl"):
        assert any(name.startswith(part) for name in names), part
    assert not any("audio" in name for name in names)
    case = json.loads(archive.read("case.json"))
    assert (case["status"], case["call"]["name"]) == ("confirmed_fraud", "=A call")
    assert [entry["what"] for entry in case["history"]] == ["check_followed", "claimed", "confirmed_fraud"]
    assert case["history"][0]["note"] == "3.0 -> 2.3 nat"
    assert case["settings"]["keep_days"] == 30
    assert case["alert"]["models"]["face"] == "f" * 12
    assert len(case["timeline"]) >= 3
    found = verify(tmp_path / "case.zip", key=about["signing_key"])
    assert (found.case, found.deleted) == (alert, 0)
    assert found.events == len(archive.read("events.jsonl").splitlines()) >= 8
    noted = [line["action"] for line in log if line["by"] == "this machine"]
    assert {"case.export", "evidence.timeline", "evidence.map"} <= set(noted)
    assert noted.count("evidence.map") == 1, "once an hour is enough"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "stream", "verify", str(tmp_path / "case.zip"), "--key", about["signing_key"]],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "holds" in done.stdout) == (0, True), done.stderr


async def test_an_alerted_voice_comes_with_its_picture_and_its_sound_if_the_policy_says_so(tmp_path: Path) -> None:
    async with alerted(tmp_path, VoiceModels(), keep_audio=True) as (client, alert):
        archive = await saved(client, alert, tmp_path / "case.zip")
        detail = (await client.get(f"/v1/cases/{alert}")).json()
        sound = next(piece for piece in detail["evidence"] if piece["kind"] == "audio")
        given = await client.get(f"/v1/evidence/{sound['id']}")
        assert (given.headers["content-type"], given.content[:4]) == ("audio/wav", b"RIFF")
    assert any(name.startswith("evidence/spectrum-") for name in archive.namelist())
    assert any(name.startswith("evidence/audio-") for name in archive.namelist())
    verify(tmp_path / "case.zip")


async def test_deleted_evidence_is_gone_from_everywhere_and_the_case_still_verifies(tmp_path: Path) -> None:
    async with alerted(tmp_path, FaceModels()) as (client, alert):
        detail = (await client.get(f"/v1/cases/{alert}")).json()
        session = detail["case"]["session"]
        assert (await client.request("DELETE", f"/v1/cases/{alert}/evidence", json={"cause": ""})).status_code == 422
        gone = await client.request("DELETE", f"/v1/cases/{alert}/evidence", json={"cause": "she asked for it"})
        assert (gone.status_code, gone.json()["cause"]) == (200, "she asked for it")
        for piece in detail["evidence"]:
            assert (await client.get(f"/v1/evidence/{piece['id']}")).status_code == 404
        assert (await client.get(f"/v1/sessions/{session}/alerts/{alert}/face.jpg")).status_code == 404
        again = await client.request("DELETE", f"/v1/cases/{alert}/evidence", json={"cause": "again"})
        assert again.status_code == 404
        archive = await saved(client, alert, tmp_path / "case.zip")
        events = [event["type"] for event in (await client.get("/v1/events")).json()]
    assert not any(name.startswith("evidence/") for name in archive.namelist())
    assert ("explanation" in events, "evidence_deleted" in events) == (False, True)
    found = verify(tmp_path / "case.zip")
    assert found.deleted == 1


def rewritten(path: Path, change: dict[str, bytes | None]) -> Path:
    """Copy a case file with some files changed, left out (None) or put in."""
    out = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in {*old.namelist(), *change}:
            content = change.get(name, old.read(name) if name in old.namelist() else None)
            if content is not None:
                new.writestr(name, content)
    return out


async def test_every_change_of_a_case_file_is_found(tmp_path: Path) -> None:
    async with alerted(tmp_path, FaceModels()) as (client, alert):
        archive = await saved(client, alert, tmp_path / "case.zip")
    path = tmp_path / "case.zip"
    lines = archive.read("events.jsonl").splitlines(keepends=True)
    face = next(name for name in archive.namelist() if name.startswith("evidence/face-"))
    manifest = archive.read("manifest.json")
    for change, text in (
        ({"case.json": archive.read("case.json").replace(b"12", b"13")}, "case.json was changed"),
        ({face: None}, f"{face} is missing"),
        ({"evidence/more.jpg": b"x"}, "evidence/more.jpg is not of it"),
        ({"events.jsonl": b"".join(lines[:-1])}, "events.jsonl was changed"),
        ({"manifest.json": manifest.replace(b"default", b"defaulu")}, "the signature does not fit the manifest"),
        ({"manifest.json": None}, "is no case file: KeyError"),
        ({"manifest.sig": b"x" * 64}, "the signature does not fit the manifest"),
    ):
        with pytest.raises(CaseFileError, match=text):
            verify(rewritten(path, change))
    with pytest.raises(CaseFileError, match=r"it was signed by .*, expected 0000"):
        verify(path, key="0000 0000")
    for content in (b"", b"PK\x03\x04", path.read_bytes()[:-40], path.read_bytes()[:2000]):
        (tmp_path / "broken.zip").write_bytes(content)
        with pytest.raises(CaseFileError, match="cannot be read as a case file"):
            verify(tmp_path / "broken.zip")
    with pytest.raises(CaseFileError, match="cannot be read"):
        verify(tmp_path / "missing.zip")


@pytest.mark.parametrize("failure", [OperationalError("INSERT", {}, OSError("disk full")), ConnectionRefusedError()])
async def test_evidence_cannot_be_seen_if_the_audit_log_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise failure

    async with alerted(tmp_path, FaceModels()) as (client, alert):
        monkeypatch.setattr("stream.alerts.audit.Audit.write", full)
        for path in ("case.zip", "report.pdf"):
            reply = await client.get(f"/v1/cases/{alert}/{path}")
            assert reply.status_code == 503
            assert reply.json() == {"error": "the store does not answer; nothing was changed, try again"}


async def test_exports_hold_all_cases_and_keep_spreadsheets_from_running_a_name(tmp_path: Path) -> None:
    async with alerted(tmp_path, FaceModels()) as (client, alert):
        session = (await client.get(f"/v1/cases/{alert}")).json()["case"]["session"]
        await client.post(f"/v1/sessions/{session}/stake", json={"reference": "calls/a.wav"})
        await client.post(f"/v1/alerts/{alert}/label", json={"label": "false_alert"})
        table = (await client.get("/v1/cases.csv")).text
        assert table.startswith("\ufeffalert,session,name,")
        assert f"{alert}," in table
        assert ",'=A call," in table
        assert [case["alert"] for case in (await client.get("/v1/cases.json")).json()] == [alert]
        assert (await client.get("/v1/cases.json?status=open")).json() == []
        labels = (await client.get("/v1/labels.csv")).text.splitlines()
        assert labels[0].startswith("file,label,session,alert")
        assert labels[1].split(",")[:4] == ["calls/a.wav", "bona_fide", session, alert]
        (tmp_path / "labels.csv").write_text("\n".join(labels))
        (tmp_path / "calls").mkdir()
        for name in ("a.wav", "b.wav"):
            (tmp_path / "calls" / name).touch()
        genuine = [tmp_path / "calls" / name for name in ("a.wav", "b.wav")]
        assert recordings(tmp_path, tmp_path / "labels.csv") == genuine, "what calibration takes for genuine"
        await client.post(f"/v1/alerts/{alert}/label", json={"label": "spoof"})
        (tmp_path / "labels.csv").write_text((await client.get("/v1/labels.csv")).text)
        assert recordings(tmp_path, tmp_path / "labels.csv") == genuine[1:]
        await client.post(f"/v1/alerts/{alert}/label", json={"label": "false_alert"})
        statistics = (await client.get("/v1/statistics?days=2")).json()
        assert [day["false_alarms"] for day in statistics["days"]] == [0, 1]
        (week,) = (await client.get("/v1/drift")).json()["weeks"]
        assert (week["signal"], week["calls"], week["median"]) == ("face", 1, -6.0)


async def test_each_alert_of_a_call_keeps_all_readings_to_its_end(tmp_path: Path) -> None:
    app = make_app(tmp_path, FaceModels(), keep_days=30)
    async with serving(app):
        desk = app.state.service.desk
        session = desk.open(source="test", name="two alerts")
        decision = CallDecision(desk.policy).decision()
        kinds = {1: ("first", AlertKind.RAISED), 2: ("first", AlertKind.CLEARED), 3: ("second", AlertKind.RAISED)}
        for time_s in range(5):
            session.timeline.append(said := replace(decision, time_s=float(time_s)))
            if time_s in kinds:
                id, kind = kinds[time_s]
                times = {"since_s": 1.0, "time_s": float(time_s)}
                desk.on_alert(session, Alert(id=id, kind=kind, session=session.id, decision=said, **times))
                await desk.settle()  # in a call seconds pass until the next
        session.close("hung up")
        await desk.settle()
        for alert in ("first", "second"):
            kept = await app.state.service.evidence.timeline(session.id, alert)
            assert [reading.time_s for reading in kept.readings] == [0, 1, 2, 3, 4], alert
