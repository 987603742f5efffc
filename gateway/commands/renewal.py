"""`gateway renewal`."""

from typing import Annotated
from uuid import UUID

import typer

from gateway.commands.person import By, Config, Data, Reason
from gateway.commands.pharmacist import Asked, OneLine, Which, carry_out
from gateway.domain.renewal import RENEWAL_LABELS, RenewalEvent, RenewalState
from gateway.settings import read_settings

_ENDS = {
    RenewalEvent.PASSED_ON: RenewalState.WITH_PRESCRIBER,
    RenewalEvent.APPROVED: RenewalState.APPROVED,
    RenewalEvent.DECLINED: RenewalState.DECLINED,
}


def renewal(
    prescription: Which,
    event: Annotated[RenewalEvent, typer.Argument(help="passed_on, approved (with --new) or declined.")],
    *,
    reason: Reason,
    by: By,
    new: Annotated[UUID | None, typer.Option(help="Id of the new prescription, for an approval.")] = None,
    line: OneLine = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Say what became of a renewal that was asked for. The prescription itself runs on to its end either way."""
    if event not in _ENDS:
        raise typer.BadParameter("only the clock lets a renewal lapse", param_hint="event")
    settings = read_settings(data=data, config=config)
    asked = Asked(prescription=prescription, by=by, reason=reason, line=line)
    carry_out(settings, asked, lambda at, act: at.store.renew(act, event, new), RENEWAL_LABELS[_ENDS[event]])
