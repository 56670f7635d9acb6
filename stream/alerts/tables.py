"""The tables of the store: events and what is derived from them, tokens, invites, webhooks, the audit log.

`events` is the record; `calls`, `cases` and `outbox` are written in the transaction that appends the event they follow
from, so a killed service never leaves them apart. Times are UTC: ISO 8601 text where people read them, seconds since
the epoch where they are compared.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Of every table."""


class EventRow(Base):
    """One stored event, a link in the chain of its call."""

    __tablename__ = "events"
    # AUTOINCREMENT: a number is never given twice, also after the newest rows were deleted.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # SQLAlchemy's own idiom

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    session: Mapped[str] = mapped_column(String(64), index=True)
    type: Mapped[str] = mapped_column(String(32), index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As it went over the wire, without `seq`; of a sealed event only what does not need to be sealed."""
    org: Mapped[str] = mapped_column(String(64), default="default", server_default="default", index=True)
    owner: Mapped[str] = mapped_column(String(64), default="", server_default="")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, nullable=True)
    """The whole body, readable as long as its call's key exists."""
    body_sha256: Mapped[str] = mapped_column(String(64), default="", server_default="")
    chain: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """See `stream.alerts.chain`; empty in events of versions that had none."""


class CallRow(Base):
    """One call."""

    __tablename__ = "calls"
    __table_args__ = (Index("calls_by_end", "org", "ended_at"),)

    session: Mapped[str] = mapped_column(String(64), primary_key=True)
    org: Mapped[str] = mapped_column(String(64), index=True)
    owner: Mapped[str] = mapped_column(String(64), default="")
    name: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(32), default="")
    started_at: Mapped[str] = mapped_column(String(40), default="")
    ended_at: Mapped[str | None] = mapped_column(String(40), nullable=True)
    amount: Mapped[float | None] = mapped_column(Float, nullable=True)
    currency: Mapped[str] = mapped_column(String(8), default="")
    reference: Mapped[str] = mapped_column(Text, default="")
    chain: Mapped[str] = mapped_column(String(64), default="")
    """Its newest event's link."""
    call_s: Mapped[float | None] = mapped_column(Float, nullable=True)
    """Its length, once it has ended [s]."""
    face_s: Mapped[float | None] = mapped_column(Float, nullable=True)
    speech_s: Mapped[float | None] = mapped_column(Float, nullable=True)
    is_telephone: Mapped[bool | None] = mapped_column(Boolean, nullable=True)
    mean_llr: Mapped[dict[str, float] | None] = mapped_column(JSON, nullable=True)
    """Of its readings, by signal [nat]."""


class CaseRow(Base):
    """One alert on the fraud desk."""

    __tablename__ = "cases"
    __table_args__ = (Index("cases_by_status", "org", "status"), Index("cases_by_day", "org", "raised_s"))

    alert: Mapped[str] = mapped_column(String(64), primary_key=True)
    session: Mapped[str] = mapped_column(String(64), index=True)
    org: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(64), default="")
    name: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(String(32), default="")
    raised_at: Mapped[str] = mapped_column(String(40))
    raised_s: Mapped[float] = mapped_column(Float)
    since_s: Mapped[float] = mapped_column(Float)
    cleared_at: Mapped[str | None] = mapped_column(String(40), nullable=True)
    ended_at: Mapped[str | None] = mapped_column(String(40), nullable=True)
    ended_s: Mapped[float | None] = mapped_column(Float, nullable=True)
    is_telephone: Mapped[bool] = mapped_column(Boolean, default=False)
    signals: Mapped[str] = mapped_column(String(64), default="")
    """Those that carry the alert, strongest first, comma-separated."""
    evidence_nat: Mapped[float] = mapped_column(Float)
    threshold_nat: Mapped[float] = mapped_column(Float)
    face_s: Mapped[float] = mapped_column(Float, default=0.0)
    speech_s: Mapped[float] = mapped_column(Float, default=0.0)
    call_s: Mapped[float] = mapped_column(Float, default=0.0)
    amount: Mapped[float | None] = mapped_column(Float, nullable=True)
    currency: Mapped[str] = mapped_column(String(8), default="")
    reference: Mapped[str] = mapped_column(Text, default="")
    rank: Mapped[float] = mapped_column(Float, default=0.0)
    """What does not change by itself of its urgency, see `stream.alerts.urgency`."""
    status: Mapped[str] = mapped_column(String(24), default="open")
    assignee: Mapped[str] = mapped_column(String(100), default="")
    is_handed_over: Mapped[bool] = mapped_column(Boolean, default=False)
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[str] = mapped_column(String(100), default="")
    decided_s: Mapped[float | None] = mapped_column(Float, nullable=True)
    touched_s: Mapped[float | None] = mapped_column(Float, nullable=True)
    """When a person first acted on it."""
    notes: Mapped[int] = mapped_column(Integer, default=0)
    text: Mapped[str] = mapped_column(Text, default="")
    """What the search looks through, in small letters."""
    seq: Mapped[int] = mapped_column(Integer, default=0)
    """Its newest event."""


class EvidenceRow(Base):
    """A picture, a sound or the readings of an alert, sealed with its call's key."""

    __tablename__ = "evidence"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    session: Mapped[str] = mapped_column(String(64), index=True)
    alert: Mapped[str] = mapped_column(String(64), index=True)
    org: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(64), default="")
    kind: Mapped[str] = mapped_column(String(24))
    media_type: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    start_s: Mapped[float | None] = mapped_column(Float, nullable=True)
    end_s: Mapped[float | None] = mapped_column(Float, nullable=True)
    made_s: Mapped[float] = mapped_column(Float, index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class TokenRow(Base):
    """Who may call. Of the secret only its hash is kept."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    org: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[str] = mapped_column(String(40))
    created_by: Mapped[str] = mapped_column(String(100), default="")
    expires_s: Mapped[float | None] = mapped_column(Float, nullable=True)
    revoked_at: Mapped[str | None] = mapped_column(String(40), nullable=True)
    used_at: Mapped[str | None] = mapped_column(String(40), nullable=True)


class InviteRow(Base):
    """A link by which a remote party joins one call."""

    __tablename__ = "invites"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    org: Mapped[str] = mapped_column(String(64), index=True)
    owner: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(80))
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[str] = mapped_column(String(40))
    expires_s: Mapped[float] = mapped_column(Float)
    revoked_at: Mapped[str | None] = mapped_column(String(40), nullable=True)
    session: Mapped[str | None] = mapped_column(String(64), nullable=True)
    """The newest call that was joined by it."""
    amount: Mapped[float | None] = mapped_column(Float, nullable=True)
    currency: Mapped[str] = mapped_column(String(8), default="")
    reference: Mapped[str] = mapped_column(Text, default="")


class WebhookRow(Base):
    """An address that is told of events."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    org: Mapped[str] = mapped_column(String(64), index=True)
    url: Mapped[str] = mapped_column(Text)
    types: Mapped[str] = mapped_column(Text)
    """Names of what it is told of, comma-separated."""
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[str] = mapped_column(String(40))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)


class OutboxRow(Base):
    """A message for one webhook, until it is delivered."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_due", "state", "next_s"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    webhook: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), index=True)
    message: Mapped[str] = mapped_column(String(64))
    """Its `webhook-id`: the same at every try, so that a receiver can tell a repetition."""
    type: Mapped[str] = mapped_column(String(48))
    body: Mapped[str] = mapped_column(Text)
    seq: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    """`waiting`, `delivered` or `dead`."""
    tries: Mapped[int] = mapped_column(Integer, default=0)
    next_s: Mapped[float] = mapped_column(Float, default=0.0)
    error: Mapped[str] = mapped_column(Text, default="")
    made_at: Mapped[str] = mapped_column(String(40))
    done_at: Mapped[str | None] = mapped_column(String(40), nullable=True)


class AuditRow(Base):
    """Who looked at evidence, and who changed who may."""

    __tablename__ = "audit"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # SQLAlchemy's own idiom

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    org: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[str] = mapped_column(String(40))
    by: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(48))
    target: Mapped[str] = mapped_column(Text, default="")


def seconds_of(iso: str) -> float:
    """Return an ISO 8601 instant as seconds since the epoch [s]."""
    return datetime.fromisoformat(iso).timestamp()


class PersonRow(Base):
    """Somebody who is known: by a number to call back on, and a word that only they know."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    org: Mapped[str] = mapped_column(String(64), index=True)
    owner: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(100))
    number: Mapped[str] = mapped_column(String(40), default="")
    safe_word: Mapped[str] = mapped_column(Text, default="")
    """Its argon2id hash; empty: none was agreed on."""
    customer: Mapped[str] = mapped_column(String(100), default="", server_default="", index=True)
    """What the organisation calls a customer, who is then known to all of it; empty: somebody's own."""
    created_at: Mapped[str] = mapped_column(String(40))


class ReferenceRow(Base):
    """How a known person looks and sounds, sealed with a passphrase that is kept nowhere."""

    __tablename__ = "person_references"

    person: Mapped[str] = mapped_column(String(16), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    voice_s: Mapped[float]
    """Speech that it was taken from [s]; 0: none."""
    face_s: Mapped[float]
    nets: Mapped[str] = mapped_column(String(64))
    """Digests of the networks that made it."""
    consent: Mapped[str] = mapped_column(String(16))
    """Version of the text that was agreed to."""
    created_at: Mapped[str] = mapped_column(String(40))
