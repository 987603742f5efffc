"""Who acts: the options `--by` and `--data` of commands that change something, and the check of the secret."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.access.operators import NotRecognisedError, Operators
from gateway.access.policy import Action, allow
from gateway.access.principal import Principal
from gateway.commands.exits import Exit
from gateway.domain.written import says_something
from gateway.settings import Settings, operator_secret

By = Annotated[
    str, typer.Option("--by", help="Your operator name. The secret: GATEWAY_OPERATOR_SECRET, or you are asked.")
]
Data = Annotated[Path | None, typer.Option(help="Data folder. [GATEWAY_DATA]")]
Config = Annotated[Path | None, typer.Option(help="Configuration folder. [GATEWAY_CONFIG]")]
LARGEST: Final = 2**63 - 1
"""Of the numbers by which the store names a row."""
Reason = Annotated[str, typer.Option("--reason", help="Why, in words for those who look later. No patient data.")]


def operator(settings: Settings, name: str, action: Action, *, second: bool = False) -> Principal:
    """Give the named person who may do this, or end the command.

    Args:
        settings: as read.
        name: as stated with `--by`, or `--and` for the second of two people.
        action: what they want to do.
        second: take the secret from `GATEWAY_OPERATOR_SECOND_SECRET` instead.

    Raises:
        Exit: with `Exit.REFUSED`, when the person is not recognised or not allowed.
        ConfigurationError: the operators' file is damaged, or open to other users.
    """
    secret = operator_secret(second=second)
    if secret is None:
        secret = typer.prompt(f"Secret of {name}", hide_input=True, err=True, default="", show_default=False)
    try:
        person = Operators(settings.data).operator(name, secret)
    except NotRecognisedError as error:
        print(f"not allowed: {error}", file=sys.stderr)
        raise typer.Exit(Exit.REFUSED) from None
    if not allow(person, action, None):
        print(f"not allowed: {name} may not {action}", file=sys.stderr)
        raise typer.Exit(Exit.REFUSED)
    return person


def stated(reason: str, option: str = "--reason") -> str:
    """Give a reason, or another text that a person writes for others, on one line.

    Raises:
        BadParameter: nothing of it can be seen, or it is longer than 500 characters.
    """
    words = " ".join(reason.split())
    if not says_something(words) or len(words) > 500:  # noqa: PLR2004 - a reason, not a report; said in the message below
        raise typer.BadParameter("say it in words that can be read, in at most 500 characters", param_hint=option)
    return words
