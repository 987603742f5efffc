"""`gateway notices`."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer

from gateway.commands.exits import Exit
from gateway.commands.person import Config
from gateway.config.configuration import Configuration
from gateway.config.load import load
from gateway.domain.escalation import Contact
from gateway.domain.notice import HOME, Channel, NoticeKind, Outgoing, Words
from gateway.domain.notice_rules import NoticeRules
from gateway.notifier.sender import Letter, Went
from gateway.settings import read_settings, variables
from gateway.wiring.build import SystemClock
from gateway.wiring.notifying import senders

app = typer.Typer(no_args_is_help=True, help="Who is told outside the console.")

_TEST = Words(
    subject="A test of notices",
    text="This is a test of notices. Nothing waits, and nothing is to be done. Sign in to see the console.",
    path=HOME,
)


@app.command()
def show(*, config: Config = None) -> None:
    """Say who is told, in which order, by which way and how soon."""
    rules = _configuration(config).notices
    if not rules.tells:
        print("Nobody is told outside the console. Name people in notices.toml.")
        return
    print(f"notices.toml {rules.version}; people sign in at {rules.address}")
    for circle in rules.circles:
        hours = f"{circle.hours.opens:%H:%M} to {circle.hours.closes:%H:%M} on working days"
        print(f"{circle.name} ({hours})")
        for rung in circle.rungs:
            names = ", ".join(_named(one) for one in circle.people[rung])
            print(f"  {rung:16} {names}")
        for soon, patience in circle.patience.items():
            when = "day and night" if patience.always else "in these hours"
            print(f"  {soon:32} the next after {patience.wait}, {when}")


@app.command("test")
def try_out(
    *,
    to: Annotated[str, typer.Option(help="Name of the person, as notices.toml has it.")],
    circle: Annotated[str, typer.Option(help="Of which trust: its ODS code; `gateway` for the gateway's own.")] = "",
    config: Config = None,
) -> None:
    """Send a test to one person, by every way in which they are told. It stands in no record, and no alert opens."""
    configuration = _configuration(config)
    circles = [one.name for one in configuration.notices.circles if not circle or one.name == circle]
    found = [contact for name in circles if (contact := configuration.notices.contact(name, to)) is not None]
    if not found:
        print(f"{to} is not named{f' in {circle}' if circle else ''}", file=sys.stderr)
        raise typer.Exit(Exit.REFUSED)
    if not asyncio.run(_send(configuration, circles[0], found[0])):
        raise typer.Exit(Exit.FAULT)


async def _send(configuration: Configuration, circle: str, contact: Contact) -> bool:
    ways = senders(configuration, SystemClock())
    went = True
    for channel, sender in ways.items():
        if {Channel.MAIL: contact.mail, Channel.WEBHOOK: contact.webhook}[channel]:
            result = await sender.send(_letter(configuration.notices, circle, contact, channel))
            print(f"{channel}: {'went' if isinstance(result, Went) else 'did NOT go'}: {result.said}")
            went = went and isinstance(result, Went)
        await sender.close()
    return went


def _letter(rules: NoticeRules, circle: str, contact: Contact, channel: Channel) -> Letter:
    notice = Outgoing(
        id=uuid4(),
        kind=NoticeKind.STEP,
        circle=circle,
        person=contact.name,
        channel=channel,
        words=_TEST,
        written_at=datetime.now(UTC),
        lease="test",
        attempt=1,
    )
    return Letter(notice=notice, to=contact, link=rules.address + HOME)


def _configuration(config: Config) -> Configuration:
    return load(read_settings(config=config).config, environ=variables())


def _named(contact: Contact) -> str:
    ways = [way for way, address in (("mail", contact.mail), ("webhook", contact.webhook)) if address]
    return f"{contact.name} ({' and '.join(ways)})"
