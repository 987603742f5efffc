"""`gateway rescue`."""

from typing import Annotated

import typer

from gateway.commands.person import By, Config, Data, Reason, stated
from gateway.commands.pharmacist import Asked, OneLine, Which, carry_out
from gateway.domain.acts import Rescue
from gateway.settings import read_settings


def rescue(
    prescription: Which,
    *,
    issue: Annotated[int, typer.Option(min=1, help="Number of the supply, from 1, as the console counts them.")],
    link: Annotated[str, typer.Option("--link", help="What replaced it: a number or an id. No patient data.")],
    reason: Reason,
    by: By,
    told: Annotated[bool, typer.Option("--told", help="You have told the provider not to supply it any more.")] = False,
    line: OneLine = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Say that the trust or a backup made one supply in the provider's place: it is awaited no longer.

    The provider still has the line, and no message takes one supply of it back. Without --told an alert stays open
    until somebody has rung them. Where nothing is left for the provider to supply, cancel the line as well.
    """
    settings = read_settings(data=data, config=config)
    made = Rescue(issue=issue, link=stated(link, "--link"), told=told)
    asked = Asked(prescription=prescription, by=by, reason=reason, line=line)
    words = "the provider was told by you" if told else "the provider does not know: ring them"
    carry_out(
        settings, asked, lambda at, act: at.store.rescue(act, made), f"issue {issue} supplied by another; {words}"
    )
