"""The store: is it of this version, does the clock agree with it, is its work done, who waits for a person?"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from gateway.domain.alert import Soon
from gateway.domain.alert_kinds import about
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.enquiries import has_stopped
from gateway.ports.work import BY_OPERATOR
from gateway.settings import Settings
from gateway.store.sql.checkup import MOST, Backlog, Checkup, OpenAlerts
from gateway.store.sql.schema import Schema
from gateway.store.sqlite.backup import MANIFEST, read_manifest
from gateway.store.sqlite.checkup import checkup, schema_of
from gateway.wiring.build import DATABASE
from gateway.wiring.doctor.finding import Finding, good, look, wrong
from gateway.wiring.storing import on_server, open_enquiries

SKEW: Final = timedelta(minutes=5)
"""How far clocks may differ (reliability-security.md I17)."""
LATE: Final = timedelta(minutes=15)
"""How long the gateway has to get a routine message out (deadlines.toml, READY)."""
BACKED_UP: Final = timedelta(hours=26)
"""A backup a night, and two hours for a night that took longer."""
_SERVE: Final = "See that the worker runs: the log's last lines, then restart the gateway."


def store(settings: Settings, *, now: datetime, runs: bool) -> Iterator[Finding]:
    """Look at the store of the data folder.

    Args:
        settings: as read.
        now: the machine's time.
        runs: whether a gateway runs on the folder; without one nothing is swept or sent, and that is said already.
    """
    if on_server(settings):
        yield from _on_server(settings, now, runs=runs)
        return
    path = settings.data / DATABASE
    if not path.is_file():
        yield wrong("store", "there is none in the data folder", "Give the right folder, or restore a backup.")
        return
    try:
        schema = schema_of(path)
        yield _schema(schema)
        if schema.fits:
            yield from _figures(checkup(path, now=now), settings, now, runs=runs)
    except Unavailable as error:
        yield wrong("store", f"{error}", "Leave the files as they are. See docs/backup.md, after a disaster.")


def _on_server(settings: Settings, now: datetime, *, runs: bool) -> Iterator[Finding]:
    """Look at a store that a PostgreSQL server holds."""
    try:
        facts, found = asyncio.run(_asked(settings, now))
    except (Unavailable, ConfigurationError) as error:
        yield wrong(
            "store", f"PostgreSQL: {error}", "See docs/runbooks/gateway-down.md; nothing that was taken is lost."
        )
        return
    yield good("store", f"PostgreSQL {facts['server_version']}, synchronous_commit {facts['synchronous_commit']}")
    yield server_log(facts["log_error_verbosity"])
    yield from _figures(found, settings, now, runs=runs)


def server_log(verbosity: str) -> Finding:
    """Look at what the server writes to its own log: in detail, it quotes the rows that it refuses (I8)."""
    if verbosity == "terse":
        return good("server log", "quotes no rows")
    say = (
        f"the server's log_error_verbosity is {verbosity}: where it refuses a row, its own log quotes the row's values"
    )
    return look("server log", say, "Set log_error_verbosity = terse on the server, and reload it.")


async def _asked(settings: Settings, now: datetime) -> tuple[dict[str, str], Checkup]:
    enquiries = open_enquiries(settings)
    try:
        return await enquiries.ready(), await enquiries.checkup(now=now)
    finally:
        await enquiries.close()


def _schema(found: Schema) -> Finding:
    if found.needs > found.known:
        say = f"the store has schema {found.newest}, and this gateway knows {found.known}: a newer version wrote it"
        return wrong("schema", say, "Run the newer version again. Never delete or restore for this.")
    if found.missing:
        say = f"the store has schema {found.newest}, and this gateway has {found.known}: an older version wrote it"
        return look("schema", say, "Stop the older gateway, make a backup, then `gateway migrate` or start this one.")
    if found.newest > found.known:
        say = f"a newer version prepared the store (schema {found.newest}, known here {found.known}); this one may run"
        return look("schema", say, "Nothing, if the gateway was rolled back on purpose; else run the newer version.")
    return good("schema", f"{found.newest}, as this version has it")


def _figures(found: Checkup, settings: Settings, now: datetime, *, runs: bool) -> Iterator[Finding]:
    if found.journal not in {"", "wal"}:
        yield wrong(
            "durability", f"the journal is {found.journal}, not WAL", "Restart the gateway; it sets and checks it."
        )
    yield clock(found.last_at, now)
    if runs:
        yield watch(found.watched_at, now, settings.watch_allowed_seconds)
        yield from work(found.due, found.leased, now)
    yield from paused(found)
    yield from alerts(found.alerts, now)


def clock(last: datetime | None, now: datetime) -> Finding:
    """Compare the machine's time with the newest that was written: it may not have gone back."""
    if last is not None and last - now > SKEW:
        say = f"it is {now:%d %b %Y %H:%M} UTC here, and the store was written at {last:%d %b %Y %H:%M}: it went back"
        return wrong("clock", say, "Set the clock by its time service. Deadlines and expiry wait meanwhile.")
    return good("clock", f"{now:%d %b %Y %H:%M} UTC, not before what was written last")


def watch(last: datetime | None, now: datetime, allowed_seconds: float) -> Finding:
    """Say when deadlines were last looked at."""
    if has_stopped(last, now=now, allowed_seconds=allowed_seconds):
        when = f"{age(now - last)} ago" if last is not None else "never"
        do = "Start it: `gateway serve --only watch`, or restart the gateway. See docs/runbooks/watch-stopped.md."
        return wrong("watch", f"deadlines were last looked at {when}: nobody is told of what is late", do)
    assert last is not None
    return good("watch", f"looked at deadlines {age(now - last)} ago")


def work(due: Backlog, leased: Backlog, now: datetime) -> Iterator[Finding]:
    """Say how old the oldest message is that should have been sent."""
    if leased.since is not None and now - leased.since > SKEW:
        yield wrong("worker", f"{leased.count} messages were taken to be sent and not finished", _SERVE)
    if due.since is None:
        yield good("work due", "nothing waits")
    elif now - due.since > LATE:
        yield wrong("work due", _waits(due.count, now - due.since), _SERVE)
    else:
        yield good("work due", _waits(due.count, now - due.since))


def _waits(count: int, oldest: timedelta) -> str:
    many = " or more" if count >= MOST else ""
    return f"{count}{many} {'message waits' if count == 1 else 'messages wait'}, the oldest for {age(oldest)}"


def paused(found: Checkup) -> Iterator[Finding]:
    """Say to whom nothing is sent, and what ends that."""
    for one in found.pauses:
        say = f"nothing is sent to {one.destination} since {one.begun_at:%d %b %Y %H:%M} UTC ({one.begun_by})"
        if one.kind == BY_OPERATOR:
            do = f"When the reason is over: gateway destination resume {one.destination} --reason TEXT --by NAME"
            yield look("paused", say, do)
        else:
            do = f"Reconcile {one.destination}. See docs/runbooks/restored.md."
            yield wrong("unreconciled", f"{say}: not reconciled since a restore", do)
    if not found.pauses:
        yield good("paused", "nobody")


def alerts(found: tuple[OpenAlerts, ...], now: datetime) -> Iterator[Finding]:
    """Say which alerts are open, and since when: those of the night first."""
    for one in sorted(found, key=lambda one: (about(one.kind).soon is not Soon.NOW, one.oldest)):
        row = about(one.kind)
        grade = wrong if row.soon is Soon.NOW else look
        say = f"{one.count} {one.kind}, the oldest for {age(now - one.oldest)}: {row.acts}, {row.soon}"
        yield grade("alerts", say, f"{row.do} See {row.runbook}.")
    if not found:
        yield good("alerts", "none is open")


def backups(folder: Path | None, now: datetime) -> Finding:
    """Say how old the newest backup of a folder of backups is.

    Args:
        folder: what `gateway backup` makes new folders in; None where nobody said.
        now: the machine's time.
    """
    if folder is None:
        return good("backup", "not looked at: say where backups are with --backups")
    made = sorted(filter(None, map(_made_at, folder.iterdir()))) if folder.is_dir() else []
    do = "Run `gateway backup FOLDER` now, and find out why the night's was not made."
    if not made:
        return wrong("backup", f"{folder} holds none that can be read", do)
    if now - made[-1] > BACKED_UP:
        return wrong("backup", f"the newest is {age(now - made[-1])} old", do)
    return good("backup", f"the newest is {age(now - made[-1])} old")


def _made_at(folder: Path) -> datetime | None:
    if not (folder / MANIFEST).is_file():
        return None
    try:
        return datetime.fromisoformat(read_manifest(folder).made_at)
    except (ConfigurationError, ValueError):
        return None


def age(span: timedelta) -> str:
    """Give a length of time in its two largest units, or as seconds."""
    seconds = max(int(span.total_seconds()), 0)
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
