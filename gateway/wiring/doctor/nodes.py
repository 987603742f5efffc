"""The nodes that share a database: which of them run, what none of them does, and whether this machine fits in."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.config.configuration import Configuration
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.node import MOST_OFF, Node, NodeSeen, disagreements
from gateway.settings import Settings
from gateway.store.keys import load_ring
from gateway.wiring.build import Part
from gateway.wiring.doctor.finding import Finding, good, look, wrong
from gateway.wiring.nodes import clock_off
from gateway.wiring.storing import open_enquiries

_START = "Start it by its supervisor, or with `gateway serve`; read the last lines of its log first."
_WITHOUT = {
    Part.HTTP: "nothing is taken over HTTP, and no answer of a provider",
    Part.WORKER: "nothing is sent",
    Part.WATCH: "nobody is told of what is late",
}
"""What stands still where no node runs a part. MLLP and the console are not for everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The nodes of a database as it knows them, and how far its clock is from this machine's."""

    nodes: tuple[NodeSeen, ...]
    off: timedelta

    def runs(self, now: datetime) -> bool:
        """Tell whether any of them lives."""
        return any(one.lives(now) for one in self.nodes)


def company(settings: Settings, now: datetime) -> Company | None:
    """Ask the database for its nodes; None where it cannot be asked, which is said of the store."""
    try:
        return asyncio.run(_asked(settings, now))
    except (Unavailable, ConfigurationError):
        return None


async def _asked(settings: Settings, now: datetime) -> Company:
    enquiries = open_enquiries(settings)
    try:
        told = (await enquiries.ready()).get("clock")
        off = now - datetime.fromisoformat(told) if told else timedelta()
        return Company(nodes=await enquiries.nodes(), off=off)
    finally:
        await enquiries.close()


def nodes(found: Company, now: datetime) -> Iterator[Finding]:
    """Look at the nodes themselves."""
    check = "nodes"
    if abs(found.off) > MOST_OFF:
        yield wrong("clock", clock_off(found.off), "A node does not start so. Leases and deadlines need one time.")
    alive = [one.node for one in found.nodes if one.lives(now)]
    for part, what in _WITHOUT.items():
        if not any(part in one.parts.split(",") for one in alive):
            yield wrong(check, f"none runs {part}: {what}", _START)
    for one in found.nodes:
        if not one.lives(now):
            say = f"{one.node.name} ({one.node.parts}) fell silent at {one.seen_at:%d %b %Y %H:%M} UTC and has not left"
            yield look(check, say, "See whether it was killed, is frozen, or has lost its way to the database.")
    if alive:
        yield good(check, "; ".join(f"{one.name} runs {one.parts} of {one.version}" for one in alive))


def fits(found: Company, settings: Settings, configuration: Configuration, now: datetime) -> Iterator[Finding]:
    """Say whether a node that starts on this machine would be let in among those that run."""
    try:
        key_id = load_ring(settings.data, development=settings.in_development, now=now).key_id
    except ConfigurationError:
        key_id = ""  # said of the seal key
    own = Node(name="", version="", parts="", configuration=configuration.digest, reference="", key_id=key_id)
    for why in disagreements(own, (one for one in found.nodes if one.lives(now))):
        yield wrong("this node", why, "Mount the same keys and configuration on every node; a start here is refused.")
