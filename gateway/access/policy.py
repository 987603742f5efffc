"""The one policy: who may do what, to whose prescriptions. What is not allowed here is denied.

Source: reliability-security.md 8 and I9.
"""

from enum import StrEnum
from types import MappingProxyType

from gateway.access.principal import Kind, Principal
from gateway.domain.identifiers import OdsCode


class Action(StrEnum):
    """Everything a door lets anyone do."""

    SUBMIT = "submit"
    """Post a prescription."""
    ACKNOWLEDGE = "acknowledge"
    """Post a provider's answer."""
    RELEASE = "release"
    """Ask for the prescriptions that are on their way to it."""
    READ_STATUS = "read-status"
    """Ask where a prescription is."""
    READ_CONSOLE = "read-console"
    """Look at the console's pages."""
    READ_BOOKS = "read-books"
    """See the counts of the whole gateway."""
    APPOINT = "appoint"
    """Say who is an operator."""
    CLOSE_ALERT = "close-alert"
    """Close an alert, with a reason."""
    RESOLVE = "resolve"
    """Say what became of a transmission in doubt."""
    PAUSE = "pause"
    """Pause a destination, or let it go on."""
    PHARMACY = "pharmacy"
    """Screen, close, answer, rule on a change, decide a renewal: a trust pharmacist's acts."""
    REROUTE = "reroute"
    """Give lines to another provider; two people together."""
    RESTORE = "restore"
    """Put a backup back in place of the store."""
    ARCHIVE = "archive"
    """Move closed prescriptions to an archive, and look one up there."""
    LEGAL_HOLD = "legal-hold"
    """Keep records whatever their age, or end that."""
    RECONCILE = "reconcile"
    """Say what a provider holds after a restore, and compare its books with ours."""


_PARTNERS = MappingProxyType(
    {
        Kind.TRUST: frozenset({Action.SUBMIT, Action.READ_STATUS}),
        Kind.PROVIDER: frozenset({Action.ACKNOWLEDGE, Action.RELEASE, Action.READ_STATUS}),
    }
)
_READING = frozenset({Action.READ_STATUS, Action.READ_CONSOLE, Action.READ_BOOKS})
_ACTING = frozenset(
    {
        Action.APPOINT,
        Action.CLOSE_ALERT,
        Action.RESOLVE,
        Action.PAUSE,
        Action.PHARMACY,
        Action.REROUTE,
        Action.RECONCILE,
        Action.RESTORE,
        Action.ARCHIVE,
        Action.LEGAL_HOLD,
    }
)
"""Acts of named people on the command line (`gateway.access.operators`); no door offers any of them."""
_OPERATOR = _READING | _ACTING


def allow(principal: Principal | None, action: Action, tenant: OdsCode | None) -> bool:
    """Tell whether `principal` may do `action` with what belongs to `tenant`.

    Args:
        principal: the caller; None when nobody was recognised.
        action: what it wants.
        tenant: the trust or provider whose data it is; None for the gateway as a whole.

    Returns:
        True for a partner only when the tenant is its own; for an operator, of any tenant.
    """
    if principal is None:
        return False
    if principal.kind is Kind.OPERATOR:
        return action in _OPERATOR
    return action in _PARTNERS[principal.kind] and tenant is not None and tenant == principal.tenant
