"""Who asks, and what that one may do and see. Pure."""

from dataclasses import dataclass, field

from stream.alerts.tables import InviteRow, TokenRow
from stream.api.admin_messages import Right, Role
from stream.api.messages import StoredMessage, VerdictMessage
from stream.scope import DEFAULT_ORG, Scope

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.WATCH}),
    Role.AGENT: frozenset({Right.WATCH, Right.CALL, Right.TRIAGE}),
    Role.ANALYST: frozenset({Right.WATCH, Right.CALL, Right.TRIAGE, Right.DESK}),
    Role.ADMIN: frozenset({Right.WATCH, Right.CALL, Right.TRIAGE, Right.DESK, Right.ADMIN}),
}
"""Of each role, without the right to see evidence, which the settings give."""

OF_EVIDENCE = frozenset({"explanation", "voice_explanation", "evidence", "evidence_deleted"})
"""Events that only those hear of who may see evidence."""
OF_TRIAGE = frozenset({"case_action", "label", "stake"})
"""Events that only those hear of who work on cases: they carry people's words and amounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks."""

    name: str
    org: str = DEFAULT_ORG
    role: Role | None = None
    """None: a remote party."""
    rights: frozenset[Right] = frozenset()
    token: str = ""
    """Id of the token; empty for the machine's own user and for `KUA_TOKEN`."""
    invite: InviteRow | None = field(default=None, compare=False)
    """By which a remote party came."""

    @property
    def scope(self) -> Scope:
        """Whose the calls are that it opens."""
        if self.invite is not None:
            return Scope(self.invite.org, self.invite.owner)
        return Scope(self.org, self.token)

    @property
    def owner(self) -> str | None:
        """The only token whose calls it sees; None: all of the organisation."""
        return self.token if self.role is Role.AGENT else None

    @property
    def hidden(self) -> frozenset[str]:
        """Types of events that it does not hear of."""
        return (frozenset() if Right.EVIDENCE in self.rights else OF_EVIDENCE) | (
            frozenset() if Right.TRIAGE in self.rights else OF_TRIAGE
        )

    def sees(self, scope: Scope) -> bool:
        """Whether it may know of a call."""
        if Right.WATCH not in self.rights or scope.org != self.org:
            return False
        return self.owner is None or scope.owner == self.owner

    def accepts(self, message: StoredMessage | VerdictMessage, scope: Scope) -> bool:
        """Whether it may hear of an event of a call."""
        return self.sees(scope) and message.type not in self.hidden


def of_role(role: Role, *, name: str, org: str, token: str, evidence_roles: frozenset[Role]) -> Principal:
    """Return who holds a token of a role.

    Args:
        role: Of the token.
        name: Of its holder.
        org: Of its holder.
        token: Its id.
        evidence_roles: Which roles may see evidence.
    """
    rights = RIGHTS[role] | ({Right.EVIDENCE} if role in evidence_roles else frozenset())
    return Principal(name=name, org=org, role=role, rights=rights, token=token)


def of_row(row: TokenRow | InviteRow, evidence_roles: frozenset[Role]) -> Principal:
    """Return who holds the secret of a row."""
    if isinstance(row, InviteRow):
        return Principal(name="remote party", org=row.org, invite=row)
    return of_role(Role(row.role), name=row.name, org=row.org, token=row.id, evidence_roles=evidence_roles)
