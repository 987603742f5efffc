"""The one policy: who may do what, to whose prescriptions. What is not allowed here is denied.

Source: reliability-security.md 8 and I9; console.md 3 for what people may do.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.access.principal import Kind, Principal
from gateway.access.roles import Role
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
    """See patients and their prescriptions on the console's pages."""
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
    TEND = "tend"
    """See what waits for whoever runs the gateway, by opaque ids; take it, write down what was done, close it."""
    WORK = "work"
    """Take a work item, hand it over, put it off, log a call."""
    ENVELOPE = "envelope"
    """State what stands around a prescription: its order number, its paper original, its delivery data."""
    CANCEL = "cancel"
    """Ask a provider to cancel."""
    HOLD = "hold"
    """Ask a provider to hold, or to go on."""
    RENEW = "renew"
    """Decide a provider's request for a renewal."""
    RESEND = "resend"
    """Send again what never left."""
    PROPOSE_CODE = "propose-code"
    """See the codes that are not known, and propose what one means."""
    APPROVE_CODE = "approve-code"
    """Approve or reject what another person proposed that a code means."""
    READ_MESSAGES = "read-messages"
    """See messages, with patient data masked."""
    UNMASK = "unmask"
    """See the patient data of a message, with a reason."""
    READ_AUDIT = "read-audit"
    """See who looked at what and did what."""
    READ_PROVIDERS = "read-providers"
    """See how providers answer, in numbers."""
    READ_PERFORMANCE = "read-performance"
    """See the figures of the service."""
    READ_SETTINGS = "read-settings"
    """See settings and people."""
    CHANGE_SETTINGS = "change-settings"
    """Propose or confirm a change of settings or of people; two people together."""


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
"""Acts of named people on the command line (`gateway.access.operators`)."""
_CONSOLE = frozenset(
    {
        Action.TEND,
        Action.WORK,
        Action.ENVELOPE,
        Action.CANCEL,
        Action.HOLD,
        Action.RENEW,
        Action.RESEND,
        Action.PROPOSE_CODE,
        Action.APPROVE_CODE,
        Action.READ_MESSAGES,
        Action.UNMASK,
        Action.READ_AUDIT,
        Action.READ_PROVIDERS,
        Action.READ_PERFORMANCE,
        Action.READ_SETTINGS,
        Action.CHANGE_SETTINGS,
    }
)
"""What only the console offers; a named operator has it there too."""
_OPERATOR = _READING | _ACTING | _CONSOLE

_FIGURES = frozenset({Action.READ_PROVIDERS, Action.READ_PERFORMANCE})
_PEOPLE: Final[Mapping[Role, frozenset[Action]]] = MappingProxyType(
    {
        Role.HOMECARE_PHARMACIST: _FIGURES
        | {
            Action.READ_CONSOLE,
            Action.WORK,
            Action.CLOSE_ALERT,
            Action.ENVELOPE,
            Action.PHARMACY,
            Action.RENEW,
            Action.CANCEL,
            Action.HOLD,
            Action.REROUTE,
            Action.RESEND,
            Action.RESOLVE,
            Action.PROPOSE_CODE,
        },
        Role.PHARMACY_TECHNICIAN: _FIGURES | {Action.READ_CONSOLE, Action.WORK, Action.ENVELOPE},
        Role.PRESCRIBER: frozenset({Action.READ_CONSOLE, Action.RENEW, Action.CANCEL}),
        Role.INTEGRATION_ENGINEER: frozenset(
            {
                Action.READ_MESSAGES,
                Action.UNMASK,
                Action.PROPOSE_CODE,
                Action.READ_PROVIDERS,
                Action.READ_SETTINGS,
            }
        ),
        Role.MAP_APPROVER: frozenset({Action.PROPOSE_CODE, Action.APPROVE_CODE}),
        Role.PROVIDER_PHARMACIST: _FIGURES | {Action.READ_CONSOLE},
        Role.PROVIDER_OPERATOR: _FIGURES | {Action.READ_CONSOLE},
        Role.CHIEF_PHARMACIST: _FIGURES
        | {
            Action.READ_CONSOLE,
            Action.WORK,
            Action.CLOSE_ALERT,
            Action.REROUTE,
            Action.READ_SETTINGS,
            Action.CHANGE_SETTINGS,
        },
        Role.COMMISSIONER: _FIGURES,
        Role.ANALYST: frozenset({Action.READ_PERFORMANCE}),
        Role.OPERATOR: _FIGURES
        | {
            Action.TEND,
            Action.READ_BOOKS,
            Action.PAUSE,
            Action.READ_MESSAGES,
            Action.READ_SETTINGS,
            Action.CHANGE_SETTINGS,
        },
        Role.AUDITOR: frozenset({Action.READ_AUDIT}),
    }
)


def may_enter(principal: Principal) -> bool:
    """Tell whether the console lets somebody in at all; what they see there is for `allow` to say."""
    return principal.kind in {Kind.OPERATOR, Kind.PERSON}


def allow(principal: Principal | None, action: Action, tenant: OdsCode | None) -> bool:
    """Tell whether `principal` may do `action` with what belongs to `tenant`.

    Args:
        principal: the caller; None when nobody was recognised.
        action: what it wants.
        tenant: the trust or provider whose data it is; None for the gateway as a whole.

    Returns:
        True for a partner only when the tenant is its own; for an operator, of any tenant; for a person, of any tenant
        if the person has no organisation here, else of the own one alone.
    """
    if principal is None:
        return False
    if principal.kind is Kind.OPERATOR:
        return action in _OPERATOR
    if principal.role is not None:
        return action in _PEOPLE[principal.role] and principal.tenant in {None, tenant}
    return action in _PARTNERS[principal.kind] and tenant is not None and tenant == principal.tenant
