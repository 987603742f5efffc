"""`gateway keys`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.settings import read_settings
from gateway.wiring.build import read_keys


def keys(
    data: Annotated[Path | None, typer.Option(help="Data folder. [GATEWAY_DATA]")] = None,
    jwks: Annotated[bool, typer.Option("--jwks", help="Print the public keys as a JWK set.")] = False,
    anchors: Annotated[bool, typer.Option("--anchors", help="Print the certificates that verify our seals.")] = False,
) -> None:
    """Show the seal key in force; in development, make one where there is none."""
    settings = read_settings(data=data)
    ring = read_keys(settings)
    if jwks:
        print(json.dumps(ring.jwks(), indent=1))
    elif anchors:
        print(ring.anchors_pem().decode(), end="")
    else:
        certificate = ring.chain[0]
        print(f"key id      {ring.key_id}")
        print(f"subject     {certificate.subject.rfc4514_string()}")
        print(f"issuer      {certificate.issuer.rfc4514_string()}")
        print(f"valid until {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")
        print(f"development {'yes' if ring.development else 'no'}")
