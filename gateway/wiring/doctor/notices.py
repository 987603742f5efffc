"""Notices outside the console: is anybody told, can they be sent, and do they leave?"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from gateway.config.configuration import Configuration
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.partner import Environment
from gateway.enquiries import has_stopped
from gateway.notifier.mail import Mailer
from gateway.ports.notices import NOTIFIER, NoticeCounts
from gateway.settings import Settings
from gateway.wiring.doctor.finding import Finding, good, look, wrong
from gateway.wiring.storing import open_enquiries

_CHECK: Final = "notices"
_LATE: Final = timedelta(minutes=30)
_SILENCE_SECONDS: Final = 120.0
_NAME: Final = "Name people in notices.toml; docs/operating.md says how. Until then somebody looks at the console."
_RUNBOOK: Final = "See docs/runbooks/notice-not-delivered.md."


def configured(configuration: Configuration) -> Iterator[Finding]:
    """Say who is told, and try the mail server without telling anybody."""
    rules = configuration.notices
    if not rules.tells:
        says = "nobody is told outside the console"
        live = configuration.environment is Environment.LIVE
        yield look(_CHECK, says, _NAME) if live else good(_CHECK, f"{says}: none is configured")
        return
    without = [ods.value for ods in configuration.trusts if all(one.trust != ods for one in rules.circles)]
    if all(one.trust is not None for one in rules.circles):
        yield look(_CHECK, "nobody is named for the gateway itself", "Add a circle without a trust to notices.toml.")
    if without:
        names = ", ".join(sorted(without))
        yield look(_CHECK, f"the gateway's people are told in place of {names}", "Name the trust's own people.")
    if rules.mail is not None and (why := asyncio.run(Mailer(rules.mail).look())):
        yield wrong(_CHECK, f"the mail server cannot be used ({why})", _RUNBOOK)
    else:
        yield good(_CHECK, f"people are told by {' and '.join(rules.channels)}")


def leaving(settings: Settings, configuration: Configuration, now: datetime, *, runs: bool) -> Iterator[Finding]:
    """Look whether what is written leaves, where anybody is to be told and a gateway runs."""
    if not configuration.notices.tells:
        return
    try:
        counts, beaten = asyncio.run(_asked(settings, now))
    except (Unavailable, ConfigurationError):
        return  # said of the store already
    if runs and has_stopped(beaten, now=now, allowed_seconds=_SILENCE_SECONDS):
        yield wrong(_CHECK, "nobody is told: what tells people does not run", "Restart the gateway, or its watch.")
    yield from judged(counts, now)


def judged(counts: NoticeCounts, now: datetime) -> Iterator[Finding]:
    """Judge how the notices stand."""
    if counts.since is not None and now - counts.since > _LATE:
        minutes = (now - counts.since) // timedelta(minutes=1)
        yield wrong(_CHECK, f"{counts.waiting} wait to leave, the oldest for {minutes} min", _RUNBOOK)
    if counts.spent:
        yield look(_CHECK, f"{counts.spent} were refused or given up in the last seven days", _RUNBOOK)


async def _asked(settings: Settings, now: datetime) -> tuple[NoticeCounts, datetime | None]:
    enquiries = open_enquiries(settings)
    try:
        return await enquiries.notice_counts(now=now), await enquiries.last_beat(NOTIFIER)
    finally:
        await enquiries.close()
