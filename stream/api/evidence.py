"""Evidence over HTTP: pieces, the case file, the report, deletion. Every access is noted before anything is shown."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from stream.alerts.case_file import CaseContents, describe, events_file, files_of, public_hex, zipped
from stream.alerts.cases import Cases
from stream.alerts.chain import GENESIS, canonical
from stream.alerts.evidence import Evidence
from stream.alerts.report import LANGUAGES, render
from stream.alerts.store import Store
from stream.alerts.tables import CaseRow
from stream.alerts.verify import fingerprint
from stream.api.access import Access
from stream.api.admin_messages import DeleteRequest, Right
from stream.api.case_messages import EvidenceDeletedMessage
from stream.api.messages import TimelineMessage
from stream.api.principal import Principal
from stream.api.seen import PRIVATE, seen_case
from stream.desk import Desk
from stream.scope import Scope

_Described = dict[int | str, dict[str, Any]]
_ZIP: _Described = {200: {"content": {"application/zip": {}}}}
_PDF: _Described = {200: {"content": {"application/pdf": {}}}}
_JPEG: _Described = {200: {"content": {"image/jpeg": {}}}}
_ANY: _Described = {200: {"content": {"application/octet-stream": {}}}}
_NO_FACE = "no face is held of alert {alert!r}: it never had one, or its time is over (KUA_KEEP_DAYS, KUA_KEEP_FACES)"


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """Makes case files.

    Args:
        store: Of the events.
        cases: Of the store.
        evidence: Of the store.
        settings: What the decision and the retention were set to.
    """

    store: Store
    cases: Cases
    evidence: Evidence
    settings: Mapping[str, Any]

    async def contents(self, row: CaseRow, by: str) -> CaseContents:
        """Gather what a case file is made of."""
        opened = [await self.evidence.get(piece.id) for piece in await self.evidence.of(row.alert)]
        return CaseContents(
            case=self.cases.message(row),
            organisation=row.org,
            exported_by=by,
            links=await self.store.links(row.session),
            evidence=[found for found in opened if found is not None],
            settings=self.settings,
        )

    def archive(self, contents: CaseContents) -> bytes:
        """Return the case file. Blocking."""
        key = self.store.vault.signing_key()
        files = files_of(contents)
        said = describe(contents, files, fingerprint(public_hex(key.public_key())))
        head = contents.links[-1][0].chain if contents.links else GENESIS
        files |= {f"report-{language}.pdf": render(said, language, files) for language in LANGUAGES}
        files |= {"case.json": canonical(said), "events.jsonl": events_file(contents.links)}
        signed = {"case": contents.case.alert, "organisation": contents.organisation, "head": head}
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return zipped(files, {**signed, "exported_at": at, "exported_by": contents.exported_by}, key)

    def report(self, contents: CaseContents, language: Literal["kk", "ru", "en"]) -> bytes:
        """Return the report as PDF. Blocking."""
        files = files_of(contents)
        key = fingerprint(public_hex(self.store.vault.signing_key().public_key()))
        return render(describe(contents, files, key), language, files)


def router(files: CaseFiles, desk: Desk, access: Access) -> APIRouter:
    """Return the routes of evidence."""
    routes = APIRouter(prefix="/v1", tags=["evidence"])
    OfEvidence = Annotated[Principal, Depends(access.needs(Right.EVIDENCE))]
    OfAdmin = Annotated[Principal, Depends(access.needs(Right.ADMIN))]
    cases, evidence = files.cases, files.evidence

    @routes.get("/evidence/{id}", response_class=Response, responses=_ANY)
    async def piece(id: str, request: Request, principal: OfEvidence) -> Response:
        """Return a piece of evidence as it was kept."""
        found = await evidence.get(id)
        if found is None or not principal.sees(Scope(found[0].org, found[0].owner)):
            raise HTTPException(404, f"no evidence {id!r} is kept, or its time is over", PRIVATE)
        row, content = found
        await access.note(request, principal, f"evidence.{row.kind}", f"{row.session}/{row.alert}/{row.id}")
        return Response(content, media_type=row.media_type, headers=PRIVATE)

    @routes.get("/sessions/{session}/alerts/{alert}/face.jpg", response_class=Response, responses=_JPEG)
    async def face(session: str, alert: str, request: Request, principal: OfEvidence) -> Response:
        """Return the picture that the newest explanation of an alert lies over, while it is there."""
        row = await cases.find(alert)
        seen = row is not None and row.session == session and principal.sees(Scope(row.org, row.owner))
        jpeg = await evidence.face(session, alert) if seen else None
        if jpeg is None:
            raise HTTPException(404, _NO_FACE.format(alert=alert), PRIVATE)
        await access.note(request, principal, "evidence.face", f"{session}/{alert}")
        return Response(jpeg, media_type="image/jpeg", headers=PRIVATE)

    @routes.get("/cases/{alert}/timeline")
    async def timeline(alert: str, request: Request, principal: OfEvidence) -> TimelineMessage:
        """Return the readings of a case's call, also after the service has forgotten them."""
        row = await seen_case(cases, principal, alert)
        await access.note(request, principal, "evidence.timeline", f"{row.session}/{alert}")
        recent = desk.timeline(row.session)
        if recent is not None and recent.readings:
            return recent
        return await evidence.timeline(row.session, alert)

    @routes.get("/cases/{alert}/case.zip", response_class=Response, responses=_ZIP)
    async def case_file(alert: str, request: Request, principal: OfEvidence) -> Response:
        """Return everything that is known of an alert, hashed, chained and signed."""
        row = await seen_case(cases, principal, alert)
        await access.note(request, principal, "case.export", f"{row.session}/{alert}")
        contents = await files.contents(row, principal.name)
        return _attached(await asyncio.to_thread(files.archive, contents), "application/zip", f"case-{alert}.zip")

    @routes.get("/cases/{alert}/report.pdf", response_class=Response, responses=_PDF)
    async def report(
        alert: str,
        request: Request,
        principal: OfEvidence,
        language: Annotated[Literal["kk", "ru", "en"], Query()] = "en",
    ) -> Response:
        """Return the readable report of a case."""
        row = await seen_case(cases, principal, alert)
        await access.note(request, principal, f"case.report.{language}", f"{row.session}/{alert}")
        contents = await files.contents(row, principal.name)
        pdf = await asyncio.to_thread(files.report, contents, language)
        return _attached(pdf, "application/pdf", f"case-{alert}-{language}.pdf")

    @routes.delete("/cases/{alert}/evidence")
    async def delete(alert: str, given: DeleteRequest, request: Request, principal: OfAdmin) -> EvidenceDeletedMessage:
        """Delete all evidence of a case's call before its time; a tombstone stays in its chain."""
        row = await seen_case(cases, principal, alert)
        await access.note(request, principal, "evidence.delete", f"{row.session}: {given.cause}")
        said = await evidence.delete(row.session, Scope(row.org, row.owner), by=principal.name, cause=given.cause)
        if said is None:
            raise HTTPException(404, f"no evidence of alert {alert!r} is kept")
        return said

    return routes


def _attached(content: bytes, media_type: str, name: str) -> Response:
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
