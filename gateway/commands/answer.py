"""`gateway answer`."""

from typing import Annotated

import typer

from gateway.commands.person import By, Config, Data, Reason
from gateway.commands.pharmacist import Asked, OneLine, Which, carry_out
from gateway.settings import read_settings


def answer(
    prescription: Which,
    *,
    reason: Reason,
    by: By,
    told: Annotated[bool, typer.Option("--told", help="You have given the answer to the provider yourself.")] = False,
    line: OneLine = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Say that the provider's question was answered and nothing clinical changed: its lines go on where they stood.

    No message carries the answer to the provider. Without --told an alert stays open until somebody has rung them.
    An answer that changes anything clinical is a new order: send it as a change of the old one.
    """
    settings = read_settings(data=data, config=config)
    asked = Asked(prescription=prescription, by=by, reason=reason, line=line)
    words = "answered; the provider was told by you" if told else "answered here; the provider does not know: ring them"
    carry_out(settings, asked, lambda at, act: at.store.answer_query(act, told=told), words)
