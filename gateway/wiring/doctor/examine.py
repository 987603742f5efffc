"""Looks at everything, in the order in which a person on call would ask."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from gateway.domain.errors import Unavailable
from gateway.settings import Settings
from gateway.store.sqlite.checkup import schema_of
from gateway.wiring.build import DATABASE, LOCK
from gateway.wiring.doctor import configured, joined, keys, machine, nodes, notices, stored
from gateway.wiring.doctor.finding import Finding
from gateway.wiring.storing import on_server


def examine(settings: Settings, *, now: datetime, backups: Path | None = None) -> Iterator[Finding]:
    """Look at a data folder and at what is needed to run on it; a gateway may be running there or not.

    Nothing is changed. What cannot be looked at is itself a finding, so that one fault never hides another.

    Args:
        settings: as read.
        now: the machine's time.
        backups: where backups are, if the person said.
    """
    yield from machine.folder(settings.data)
    if not settings.data.is_dir():
        return
    company = nodes.company(settings, now) if on_server(settings) else None
    if not on_server(settings):
        yield from machine.running(settings.data)
    elif company is not None:
        yield from nodes.nodes(company, now)
    yield from machine.room(settings)
    yield from keys.seal(settings, now)
    yield from keys.doors(settings, now)
    configuration, faults = configured.read(settings)
    yield from faults
    if configuration is not None:
        yield from keys.prescribers(configuration, now)
        yield from configured.configured(settings, configuration, now)
        yield from joined.joined(settings, configuration)
        yield from notices.configured(configuration)
        if on_server(settings) or _fits(settings.data / DATABASE):
            yield from configured.in_force(settings, configuration)
        if company is not None:
            yield from nodes.fits(company, settings, configuration, now)
    runs = company.runs(now) if company is not None else machine.is_held(settings.data / LOCK)
    yield from stored.store(settings, now=now, runs=runs)
    if configuration is not None and (on_server(settings) or _fits(settings.data / DATABASE)):
        yield from notices.leaving(settings, configuration, now, runs=runs)
    yield stored.backups(backups, now)


def _fits(database: Path) -> bool:
    """Tell whether there is a store whose tables this version knows."""
    try:
        return schema_of(database).fits
    except Unavailable:
        return False
