"""Who may send a call, and whose it then is."""

from dataclasses import dataclass

from stream.alerts.tokens import Tokens
from stream.api.access import Access, Needs
from stream.api.principal import Principal
from stream.desk import Desk
from stream.errors import SignallingError
from stream.ingest.sink import CallSink
from stream.scope import NO_STAKE, Scope, Stake

JOINED_AGAIN = "joined again"


@dataclass(frozen=True, slots=True)
class OwnDesk:
    """A `CallDesk` that opens calls for somebody."""

    desk: Desk
    scope: Scope
    stake: Stake = NO_STAKE
    is_invited: bool = False

    def open(self, *, source: str, name: str) -> CallSink:
        """Open a call.

        Raises:
            ServiceFullError: As many calls run as may.
        """
        return self.desk.open(source=source, name=name, scope=self.scope, stake=self.stake, is_invited=self.is_invited)


class Calls:
    """Opens calls for whoever may send them.

    Args:
        desk: Of the calls.
        tokens: Of the links.
        access: Finds out who asks.
    """

    def __init__(self, desk: Desk, tokens: Tokens, access: Access) -> None:
        self._desk = desk
        self._tokens = tokens
        self.needs: Needs = access.caller()

    def under(self, principal: Principal) -> OwnDesk:
        """Return a desk that opens calls for somebody: of a link, for whoever made it."""
        invite = principal.invite
        if invite is None:
            return OwnDesk(self._desk, principal.scope)
        if invite.session:  # a phone that lost its line comes back: its old call is over
            self._desk.close(invite.session, JOINED_AGAIN)
        stake = Stake(amount=invite.amount, currency=invite.currency, reference=invite.reference)
        return OwnDesk(self._desk, principal.scope, stake, is_invited=True)

    async def joined(self, principal: Principal, session: str) -> None:
        """Note which call was joined by a link."""
        if principal.invite is not None:
            await self._tokens.joined(principal.invite.id, session)

    def require_own(self, principal: Principal, session: str) -> None:
        """Refuse to let somebody touch another's call.

        Raises:
            SignallingError: 404, as of a call that is not there.
        """
        if principal.invite is not None:
            is_own = principal.invite.session == session
        else:
            scope = self._desk.scope_of(session)
            is_own = scope is not None and principal.sees(scope)
        if not is_own:
            raise SignallingError("no such call", status=404)
