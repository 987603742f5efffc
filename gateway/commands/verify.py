"""`gateway verify`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.x509 import Certificate

from gateway.commands.exits import Exit
from gateway.domain.errors import ConfigurationError
from gateway.settings import read_settings
from gateway.sign.verify import read_anchors
from gateway.sign.verify import verify as check

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A sealed message, as received.")
]


def verify(
    file: File,
    anchors: Annotated[
        Path | None, typer.Option(help="Folder of trusted certificates (PEM); the data folder's anchors otherwise.")
    ] = None,
    audience: Annotated[str | None, typer.Option(help="Our own ODS code: is the message for us?")] = None,
    rendered: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The same message in another format, as received.")
    ] = None,
) -> None:
    """Verify a sealed message offline and print the numbered checklist."""
    report = check(
        file.read_bytes(),
        _anchors(anchors or read_settings().data / "anchors"),
        now=datetime.now(UTC),
        audience=audience,
        rendered=rendered.read_bytes() if rendered else None,
    )
    print(report)
    raise typer.Exit(Exit.DONE if report.ok else Exit.REFUSED)


def _anchors(folder: Path) -> tuple[Certificate, ...]:
    files = sorted(folder.glob("*.pem")) if folder.is_dir() else []
    if not files:
        raise ConfigurationError(f"{folder}: holds no certificate (*.pem)")
    try:
        return tuple(anchor for file in files for anchor in read_anchors(file.read_bytes()))
    except ValueError as error:
        raise ConfigurationError(f"{folder}: a certificate cannot be read") from error
