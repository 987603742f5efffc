"""`gateway serve`."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.settings import Settings, read_settings
from gateway.telemetry import start_logging
from gateway.wiring.application import Told
from gateway.wiring.application import serve as run
from gateway.wiring.build import Part


def serve(
    *,
    data: Annotated[Path | None, typer.Option(help="Data folder: store, keys, anchors. [GATEWAY_DATA]")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration folder. [GATEWAY_CONFIG]")] = None,
    host: Annotated[str | None, typer.Option(help="Address of the HTTP door. [GATEWAY_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Its port; 0 for any that is free. [GATEWAY_PORT]")] = None,
    mllp_port: Annotated[int | None, typer.Option(help="Port of the MLLP door. [GATEWAY_MLLP_PORT]")] = None,
    only: Annotated[
        str, typer.Option(help=f"Run only these parts, separated by commas: {', '.join(Part)}.")
    ] = ",".join(Part),
) -> None:
    """Run the gateway: HTTP, MLLP, worker, watch and console in one process."""
    settings = read_settings(data=data, config=config, host=host, port=port, mllp_port=mllp_port)
    start_logging(settings.log_level)
    raise typer.Exit(run(settings, parts=_parts(only), tell=lambda told: _tell(told, settings), tell_link=_tell_link))


def _parts(only: str) -> frozenset[Part]:
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Part)]
    if unknown or not names:
        raise typer.BadParameter(f"choose from {', '.join(Part)}", param_hint="--only")
    return frozenset(Part(name) for name in names)


def _tell(told: Told, settings: Settings) -> None:
    """Print what a person needs to begin; tokens this once and never again."""
    if settings.in_development:
        _say("DEVELOPMENT: loopback only, throw-away keys. Never for real prescriptions.")
    if told.fresh:
        _say("Development tokens, shown this once (Authorization: Bearer ...):")
        width = max(len(name) for name, _ in told.fresh)
        for name, token in told.fresh:
            _say(f"  {name:{width}}  {token}")
    for what, where in (("HTTP", told.http), ("MLLP", told.mllp)):
        if where:
            _say(f"{what} {where}")
    if told.console:
        _tell_link(told.console)


def _tell_link(link: str) -> None:
    _say(f"Console (this link works once): {link}")


def _say(text: str) -> None:
    """Print at once: standard output may be a file that somebody is waiting on."""
    print(text, flush=True)
