"""A typed client of the service's HTTP interface; our own command line uses it.

    with Client("http://127.0.0.1:8400", token="kua_...") as kua:
        for case in kua.cases(status="open"):
            print(case.name, case.evidence_nat)
        for event in kua.follow(after=0):
            ...

Every method raises `ClientError` with the service's own words where it refuses, and where it cannot be reached.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx
from pydantic import TypeAdapter

from stream.api.admin_messages import (
    InviteMessage,
    MeMessage,
    NewInviteMessage,
    NewTokenMessage,
    NewWebhookMessage,
    Role,
    TokenMessage,
    WebhookMessage,
    WebhookTestMessage,
)
from stream.api.case_messages import (
    CaseActionMessage,
    CaseDetailMessage,
    CaseMessage,
    CasePageMessage,
    Deed,
    DriftMessage,
    StakeMessage,
    StatisticsMessage,
)
from stream.api.messages import (
    SERVER,
    STORED,
    AboutMessage,
    ServerMessage,
    SnapshotMessage,
    StoredMessage,
    TimelineMessage,
)
from stream.api.promise_messages import AlertLabel, LabelMessage, PromiseMessage
from stream.errors import KuaError

PAGE = 200
TIMEOUT_S = 30.0
SILENCE_S = 25.0
"""The service says something at least every ten seconds; after this the line is dead [s]."""

T = TypeVar("T")


class ClientError(KuaError):
    """The service refused or cannot be reached.

    Args:
        message: In the service's own words.
        status: Of its answer; None: there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """A connection to a service.

    Args:
        url: http://HOST:PORT.
        token: Bearer token; empty: none is sent.
        transport: How requests travel; for tests.
    """

    def __init__(self, url: str, token: str = "", transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S, transport=transport)
        except (httpx.InvalidURL, UnicodeEncodeError) as exc:
            raise ClientError(f"{url!r} is no address of a service: {exc}") from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def about(self) -> AboutMessage:
        """Return what runs there."""
        return self._get("/v1/about", AboutMessage)

    def me(self) -> MeMessage:
        """Return who we are to the service."""
        return self._get("/v1/me", MeMessage)

    def calls(self) -> SnapshotMessage:
        """Return running and recent calls."""
        return self._get("/v1/sessions", SnapshotMessage)

    def promise(self) -> PromiseMessage:
        """Return the promise of few false alerts, and what came of it."""
        return self._get("/v1/promise", PromiseMessage)

    def events(self, after: int = 0, session: str | None = None) -> Iterator[StoredMessage]:
        """Yield all stored events after a number, oldest first, of one call if it is named."""
        many = TypeAdapter(list[StoredMessage])
        while True:
            page = self._get("/v1/events", many, after=after, session=session)
            yield from page
            if not page:
                return
            after = page[-1].seq

    def follow(self, after: int | None = None, session: str | None = None) -> Iterator[ServerMessage]:
        """Yield messages as they come, after those that were stored after a number; ends when the service stops."""
        query = _given(after=after, session=session)
        timeout = httpx.Timeout(TIMEOUT_S, read=SILENCE_S)
        try:
            with self._http.stream("GET", "/v1/alerts/stream", params=query, timeout=timeout) as reply:
                if reply.status_code != httpx.codes.OK:
                    reply.read()
                    raise _refusal(reply)
                for line in reply.iter_lines():
                    if line.startswith("data: "):
                        yield SERVER.validate_json(line.removeprefix("data: "))
        except httpx.HTTPError as exc:
            raise ClientError(f"{self._http.base_url} cannot be reached: {exc}") from exc

    def page(self, *, limit: int = PAGE, offset: int = 0, sort: str = "urgency", **filters: Any) -> CasePageMessage:
        """Return a page of the queue; filters are those of `GET /v1/cases`."""
        return self._get("/v1/cases", CasePageMessage, limit=limit, offset=offset, sort=sort, **filters)

    def cases(self, *, sort: str = "urgency", **filters: Any) -> Iterator[CaseMessage]:
        """Yield all cases that the filters let through."""
        offset = 0
        while found := self.page(offset=offset, sort=sort, **filters).cases:
            yield from found
            offset += len(found)

    def case(self, alert: str) -> CaseDetailMessage:
        """Return one case with what is kept of it."""
        return self._get(f"/v1/cases/{alert}", CaseDetailMessage)

    def timeline(self, alert: str) -> TimelineMessage:
        """Return the readings of a case's call."""
        return self._get(f"/v1/cases/{alert}/timeline", TimelineMessage)

    def act(self, alert: str, deed: Deed, *, to: str = "", note: str = "") -> CaseActionMessage:
        """Claim, release, assign, hand over or reopen a case, or write a note."""
        said = {"deed": deed, "to": to, "note": note}
        return self._send("POST", f"/v1/cases/{alert}/deeds", CaseActionMessage, said)

    def label(self, alert: str, label: AlertLabel, *, reason: str = "", note: str = "") -> LabelMessage:
        """Decide what an alert was."""
        said = {"label": label, "reason": reason, "note": note}
        return self._send("POST", f"/v1/alerts/{alert}/label", LabelMessage, said)

    def stake(self, session: str, *, amount: float | None, currency: str = "", reference: str = "") -> StakeMessage:
        """Say what may be lost in a call."""
        said = {"amount": amount, "currency": currency, "reference": reference}
        return self._send("POST", f"/v1/sessions/{session}/stake", StakeMessage, said)

    def evidence(self, id: str) -> bytes:
        """Return a piece of evidence."""
        return self._request("GET", f"/v1/evidence/{id}").content

    def case_file(self, alert: str) -> bytes:
        """Return everything that is known of an alert as a signed archive."""
        return self._request("GET", f"/v1/cases/{alert}/case.zip").content

    def report(self, alert: str, language: Literal["kk", "ru", "en"] = "en") -> bytes:
        """Return the readable report of a case as PDF."""
        return self._request("GET", f"/v1/cases/{alert}/report.pdf", params={"language": language}).content

    def statistics(self, days: int = 30) -> StatisticsMessage:
        """Return how the desk did."""
        return self._get("/v1/statistics", StatisticsMessage, days=days)

    def drift(self) -> DriftMessage:
        """Return how scores of genuine calls move."""
        return self._get("/v1/drift", DriftMessage)

    def invite(self, name: str, *, hours: float = 24.0, **stake: Any) -> NewInviteMessage:
        """Make a link by which a remote party joins a call."""
        return self._send("POST", "/v1/invites", NewInviteMessage, {"name": name, "hours": hours, **stake})

    def invites(self) -> list[InviteMessage]:
        """Return links that were made."""
        return self._get("/v1/invites", TypeAdapter(list[InviteMessage]))

    def tokens(self) -> list[TokenMessage]:
        """Return the organisation's tokens."""
        return self._get("/v1/tokens", TypeAdapter(list[TokenMessage]))

    def create_token(self, name: str, role: Role, *, days: float | None = None) -> NewTokenMessage:
        """Make a token."""
        return self._send("POST", "/v1/tokens", NewTokenMessage, {"name": name, "role": role, "days": days})

    def revoke_token(self, id: str) -> None:
        """Revoke a token."""
        self._request("DELETE", f"/v1/tokens/{id}")

    def webhooks(self) -> list[WebhookMessage]:
        """Return the organisation's webhooks."""
        return self._get("/v1/webhooks", TypeAdapter(list[WebhookMessage]))

    def create_webhook(self, url: str, types: list[str]) -> NewWebhookMessage:
        """Make a webhook."""
        return self._send("POST", "/v1/webhooks", NewWebhookMessage, {"url": url, "types": types})

    def test_webhook(self, id: str) -> WebhookTestMessage:
        """Send a test message to a webhook."""
        return self._send("POST", f"/v1/webhooks/{id}/test", WebhookTestMessage, None)

    def _get(self, path: str, kind: "type[T] | TypeAdapter[T]", **query: Any) -> T:
        return _parsed(kind, self._request("GET", path, params=_given(**query)))

    def _send(self, method: str, path: str, kind: type[T], body: Any) -> T:
        return _parsed(kind, self._request(method, path, json=body))

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            reply = self._http.request(method, path, **more)
        except httpx.HTTPError as exc:
            where = self._http.base_url
            raise ClientError(f"{where} cannot be reached: {exc}; is the service running (make run)?") from exc
        if reply.is_error:
            raise _refusal(reply)
        return reply


def _given(**query: Any) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _parsed(kind: "type[T] | TypeAdapter[T]", reply: httpx.Response) -> T:
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    return adapter.validate_json(reply.content, strict=False)


def _refusal(reply: httpx.Response) -> ClientError:
    try:
        text = reply.json()["error"]
    except (ValueError, KeyError, TypeError):
        text = f"answered {reply.status_code}"
    return ClientError(f"{reply.request.url}: {text}", reply.status_code)


__all__ = ["STORED", "Client", "ClientError"]
