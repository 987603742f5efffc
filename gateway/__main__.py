"""The command line: every command, and what its errors look like to a person."""

import sys
import traceback
from pathlib import PurePath

import typer

from gateway.commands import config
from gateway.commands.demo import demo
from gateway.commands.dose import dose
from gateway.commands.exits import Exit
from gateway.commands.keys import keys
from gateway.commands.migrate import migrate
from gateway.commands.serve import serve
from gateway.commands.translate import translate
from gateway.commands.verify import verify
from gateway.domain.errors import ConfigurationError, Unavailable

app = typer.Typer(
    name="gateway",
    help="Electronic prescription interchange gateway for NHS homecare medicines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (serve, demo, translate, dose, verify, keys, migrate):
    app.command()(command)
app.add_typer(config.app, name="config")


def main() -> None:
    """Run the command line; exit 0 done, 1 our fault, 2 refused or invalid, 3 held."""
    try:
        app()
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
