"""What a provider's people do about an alert of a line they have: theirs, and not what the trust's people are told.

They are shown what they are asked, owe or can answer, and no other alert (`work_item.SHOWN_TO_PROVIDERS`). A trust is
told to ring them; they are not told to ring themselves.

Source: console.md 3 (provider), 6.1; mapping.md 10.2.
"""

from collections.abc import Mapping
from typing import Final

from gateway.domain.lifecycle import LineState
from gateway.domain.work_item import Reason, reason_of, settled

R = Reason

ADVICE: Final[Mapping[Reason, str]] = {
    R.CANCEL_UNCONFIRMED: "You are asked to cancel it. Answer in your system, and tell the trust: until you confirm, it"
    " counts as not cancelled.",
    R.HOLD_UNCONFIRMED: "You are asked to hold it, or to let it go on. Answer in your system, and tell the trust: until"
    " you confirm, nothing has changed.",
    R.IN_DOUBT: "It is not known whether your system has it. Look for the number, and tell the trust what you find.",
    R.QUESTION: "You asked a question, and the trust is to answer it.",
    R.NO_ACCEPTANCE: "Your system has it, or was sent it, and you have not answered. Accept it, ask, or reject it in"
    " your system.",
    R.PROVIDER_LATE: "Nothing was heard of it for too long. Say in your system where it stands.",
    R.BALANCE: "A rest is owed. Supply it, or say in your system that it will not come.",
    R.DELIVERY_FAILED: "A delivery failed. Agree a new day with the patient, and say it in your system.",
    R.NO_DELIVERY: "No delivery is known to be booked. Book it, or say in your system when it was made.",
}
"""By the reason for which it is on the list; those that providers are shown."""

_MOVED_ON: Final = "The line has moved on. The trust closes this row."
_OF_OTHERS: Final = "Nothing is asked of you here: the trust sees to it."


def for_provider(kind: str, state: LineState | None = None) -> str:
    """Give what the provider that has a line does about an alert.

    Args:
        kind: of the alert.
        state: where its line stands now; None where it is about no line.
    """
    if state is not None and settled(kind, state):
        return _MOVED_ON
    return ADVICE.get(reason_of(kind, state), _OF_OTHERS)
