"""What administrators send and get: tokens, invites, webhooks, the audit log."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stream.api.case_messages import Note, StakeRequest
from stream.api.message import Message


class Role(StrEnum):
    """What a token is for."""

    VIEWER = "viewer"
    AGENT = "agent"
    ANALYST = "analyst"
    ADMIN = "admin"


class Right(StrEnum):
    """What a role may do."""

    WATCH = "watch"
    """See calls and alerts: all of the organisation, or an agent's own."""
    CALL = "call"
    """Send calls, and invite a remote party to one."""
    TRIAGE = "triage"
    """Label an alert, write a note, hand over."""
    DESK = "desk"
    """See and work on the queue of all cases."""
    EVIDENCE = "evidence"
    """See faces, hear sound, export cases."""
    ADMIN = "admin"
    """Tokens, webhooks, the audit log, deletion."""


class TokenRequest(Message):
    """A token to be made."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """Of the person or program that will use it."""
    role: Role
    days: Annotated[float | None, Field(gt=0, le=3650)] = None
    """After which it expires [d]; null: never."""


class TokenMessage(Message):
    """A token, without its secret."""

    id: str
    name: str
    role: Role
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    used_at: str | None
    """When it was last used, to the minute."""


class NewTokenMessage(Message):
    """A token that was just made; its secret is told this once."""

    token: TokenMessage
    secret: str


class MeMessage(Message):
    """Who asks, and what that one may do."""

    name: str
    org: str
    role: Role
    rights: list[Right]
    own_calls_only: bool
    token: str
    """Its id; empty for the machine's own user on a loopback start and for `KUA_TOKEN`."""


class InviteRequest(StakeRequest):
    """A link for a remote party to join a call with a browser."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    """Of the call, as the agent sees it; the remote party does not."""
    hours: Annotated[float, Field(gt=0, le=168)] = 24.0
    """How long the link lasts [h]."""


class InviteMessage(Message):
    """A link that was made, without its secret."""

    id: str
    name: str
    created_at: str
    expires_at: str
    revoked_at: str | None
    session: str | None
    """The newest call that was joined by it."""


class NewInviteMessage(Message):
    """A link that was just made; it is told this once."""

    invite: InviteMessage
    path: str
    """Of the page to open, with its secret after the `#`, which no server sees."""


class LightMessage(Message):
    """Colours for a remote party's page to show, at once and once."""

    id: str
    colours: list[str]
    """As CSS writes them, each for `step_s`."""
    step_s: float


class JoinMessage(Message):
    """All that a remote party is told."""

    ice_servers: list[str]
    expires_at: str
    light: LightMessage | None
    """While the agent asks for it."""


class WebhookRequest(Message):
    """An address to be told of events."""

    url: Annotated[str, Field(max_length=2000)]
    types: list[str] = Field(default=["alert.raised", "alert.cleared"], max_length=10)
    """`alert.raised`, `alert.updated`, `alert.cleared`, `alert.labelled`, `case.changed`, or `*`."""


class WebhookMessage(Message):
    """A webhook, without its secret."""

    id: str
    url: str
    types: list[str]
    created_at: str
    is_active: bool


class NewWebhookMessage(Message):
    """A webhook that was just made; its secret is told this once."""

    webhook: WebhookMessage
    secret: str


class WebhookTestMessage(Message):
    """What came of a test."""

    delivered: bool
    status: int | None
    """The answer's; null if there was none."""
    error: str


class DeadLetterMessage(Message):
    """A message that could not be delivered."""

    id: int
    webhook: str
    type: str
    seq: int
    made_at: str
    tries: int
    error: str


class AuditMessage(Message):
    """Somebody looked at evidence, or changed who may."""

    id: int
    at: str
    by: str
    role: Annotated[str, Field(title="Role then")]
    address: str
    action: str
    target: str


class DeleteRequest(Message):
    """Why the evidence of a call is deleted before its time."""

    cause: Annotated[Note, Field(min_length=1)]
