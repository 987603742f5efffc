"""`gateway rule`."""

from typing import Annotated

import typer

from gateway.commands.person import By, Config, Data, Reason
from gateway.commands.pharmacist import Asked, Which, carry_out
from gateway.domain.acts import Ruling
from gateway.settings import read_settings

_WORDS = {Ruling.SEND: "the new order will be sent", Ruling.DROP: "the new order was cancelled: nothing of it left"}


def rule(
    prescription: Which,
    ruling: Annotated[Ruling, typer.Argument(help="send: the patient needs both. drop: the old supply is enough.")],
    *,
    reason: Reason,
    by: By,
    data: Data = None,
    config: Config = None,
) -> None:
    """Rule on a changed order whose cancel of the old one came too late: the old order was supplied.

    The prescription is the new one. Nothing of it leaves before somebody rules: the patient could be supplied twice.
    """
    settings = read_settings(data=data, config=config)
    asked = Asked(prescription=prescription, by=by, reason=reason)
    carry_out(settings, asked, lambda at, act: at.store.rule(act, ruling), _WORDS[ruling])
