"""`gateway answer`."""

from gateway.commands.person import By, Config, Data, Reason
from gateway.commands.pharmacist import Asked, OneLine, Which, carry_out
from gateway.settings import read_settings


def answer(
    prescription: Which, *, reason: Reason, by: By, line: OneLine = None, data: Data = None, config: Config = None
) -> None:
    """Say that the provider's question was answered and nothing clinical changed: its lines go on where they stood.

    An answer that changes anything clinical is a new order: send it as a change of the old one.
    """
    settings = read_settings(data=data, config=config)
    asked = Asked(prescription=prescription, by=by, reason=reason, line=line)
    carry_out(settings, asked, lambda at, act: at.store.answer_query(act), "answered: with the provider again")
