"""The command line: which commands there are, and what their errors look like to a person."""

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import PurePath
from typing import Final

import typer

from gateway.commands.exits import Exit
from gateway.domain.errors import ConfigurationError, Unavailable

COMMANDS: Final = (
    "serve",
    "demo",
    "doctor",
    "translate",
    "coverage",
    "rules",
    "dose",
    "check",
    "digest",
    "verify",
    "keys",
    "operator",
    "alerts",
    "alert",
    "notices",
    "resolve",
    "resend",
    "destination",
    "reroute",
    "migrate",
    "backup",
    "restore",
    "reconcile",
    "config",
    "reference",
    "lifecycle",
    "screen",
    "close",
    "answer",
    "rule",
    "rescue",
    "renewal",
    "archive",
    "legal-hold",
)
"""Each is the function, or the group `app`, of the module of its name in `gateway.commands`."""


def command_line(arguments: Sequence[str]) -> typer.Typer:
    """Make the command line. Of the commands only the one that is called is imported, for most need little."""
    line = typer.Typer(
        name="gateway",
        help="Electronic prescription interchange gateway for NHS homecare medicines.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @line.callback()
    def gateway() -> None:
        """Electronic prescription interchange gateway for NHS homecare medicines."""

    called = [name for name in COMMANDS if name in arguments[:1]]
    for name in called or COMMANDS:
        module = import_module(f"gateway.commands.{name.replace('-', '_')}")
        if hasattr(module, "app"):
            line.add_typer(module.app, name=name)
        else:
            line.command(name)(getattr(module, name))
    return line


def refuse_undecoded(arguments: Sequence[str]) -> None:
    """Refuse arguments that are bytes of another character set: nobody could say what they were kept as.

    Raises:
        ConfigurationError: naming each by its place, for its text cannot be shown.
    """
    strange = [place for place, text in enumerate(arguments, start=1) if not _is_text(text)]
    if strange:
        raise ConfigurationError(*(f"argument {place} is not UTF-8 text" for place in strange))


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def main() -> None:
    """Run the command line; exit 0 done, 1 our fault, 2 refused or invalid, 3 held."""
    try:
        refuse_undecoded(sys.argv[1:])
        command_line(sys.argv[1:])(prog_name="gateway")
    except ConfigurationError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        sys.exit(Exit.REFUSED)
    except Unavailable as error:
        print(f"not available: {error}", file=sys.stderr)
        sys.exit(Exit.FAULT)
    except Exception as error:  # noqa: BLE001 - the last resort; its text may quote a prescription, its place does not
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{PurePath(place.filename).name}:{place.lineno} {place.name}"
        print(f"the gateway failed: {type(error).__name__} at {where}", file=sys.stderr)
        sys.exit(Exit.FAULT)


if __name__ == "__main__":
    main()
