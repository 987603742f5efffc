"""`gateway alerts`."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from gateway.commands.person import Config, Data
from gateway.domain.alert_kinds import about
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.enquiries import AlertView
from gateway.settings import Settings, read_settings
from gateway.wiring.acting import desk

_LONDON: Final = ZoneInfo("Europe/London")
_MOST: Final = 100_000


def alerts(
    *,
    data: Data = None,
    config: Config = None,
    tenant: Annotated[str, typer.Option(help="Only what this trust or provider may see: its ODS code.")] = "",
    limit: Annotated[
        int, typer.Option(min=1, max=_MOST, help="At most so many: safety incidents first, then the oldest.")
    ] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the alerts that are open: safety incidents first, then the oldest; and what to do about each.

    A person closes them: `gateway alert close`.
    """
    settings = read_settings(data=data, config=config)
    whose = OdsCode.parse(tenant) if tenant else None
    if tenant and whose is None:
        raise typer.BadParameter(f"{tenant!r} is not an ODS code", param_hint="--tenant")
    found = asyncio.run(_open_alerts(settings, whose, limit + 1))
    if as_json:
        print(json.dumps([_row(alert) for alert in found[:limit]], indent=1))
        return
    for alert in found[:limit]:
        print(f"{alert.id:>6}  {_clock(alert.opened_at)}  {alert.kind:24} {alert.prescription_id or alert.subject}")
        print(f"        {alert.text}")
        row = about(alert.kind)
        print(f"        {row.soon.capitalize()}, {row.acts}: {row.do} ({row.runbook})")
    print(f"{min(len(found), limit)} open{', and more that are not shown' * (len(found) > limit)}")


async def _open_alerts(settings: Settings, tenant: OdsCode | None, limit: int) -> Sequence[AlertView]:
    async with desk(settings) as at:
        known = {*at.configuration.trusts, *at.configuration.routing.providers}
        found = await at.enquiries.open_alerts(tenant=tenant, limit=limit)
        if tenant is not None and tenant not in known and not found:  # one that was taken out may have some left
            raise ConfigurationError(f"--tenant: {tenant} is neither a trust nor a provider of the configuration")
        return found


def _row(alert: AlertView) -> dict[str, str | int | None]:
    row = about(alert.kind)
    return {
        "id": alert.id,
        "kind": alert.kind,
        "subject": alert.subject,
        "line": str(alert.line_id) if alert.line_id else None,
        "prescription": str(alert.prescription_id) if alert.prescription_id else None,
        "number": alert.number or None,
        "opened": alert.opened_at.isoformat(),
        "text": alert.text,
        "acts": row.acts.value,
        "soon": row.soon.value,
        "do": row.do,
        "runbook": row.runbook,
    }


def _clock(moment: datetime) -> str:
    return moment.astimezone(_LONDON).strftime("%d %b %Y %H:%M")
