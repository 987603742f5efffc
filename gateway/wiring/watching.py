"""The watch: within a gateway on connections of its own, or alone in a process of its own beside it.

`gateway serve --only watch` runs on the data folder of a gateway that runs elsewhere on the same machine. It takes not
the gateway's lock but one of its own; it opens alerts through a writing connection of its own, as people's acts do.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import version
from itertools import chain
from typing import Final

import structlog

from gateway.config.calendar_check import calendar_concerns
from gateway.config.certificate_check import certificate_concerns
from gateway.config.configuration import Configuration
from gateway.config.reference import reference_in_force
from gateway.config.reference_check import Concern, concerns
from gateway.domain.node import Node
from gateway.domain.reference import Reference
from gateway.notifier.loop import Notifier
from gateway.settings import Settings
from gateway.store.sql.enquiries import SqlEnquiries
from gateway.watch import DeadMan, Watch
from gateway.wiring.acting import Desk, desk
from gateway.wiring.build import Gateway, Part, claim_data_folder
from gateway.wiring.nodes import Membership, node_name
from gateway.wiring.notifying import notifier_of
from gateway.wiring.storing import on_server

WATCH_LOCK: Final = "watch.lock"

_log = structlog.get_logger("gateway")


def watch_of(gateway: Gateway, enquiries: SqlEnquiries) -> Watch:
    """Make the watch of a gateway, with reading connections that nothing else keeps busy."""
    return Watch(
        enquiries=enquiries,
        store=gateway.store,
        clock=gateway.clock,
        interval_seconds=gateway.settings.watch_seconds,
        beat=gateway.metrics.watched,
        concerns=_concerns(gateway.configuration, gateway.around.reference),
    )


def dead_man_of(gateway: Gateway) -> DeadMan:
    """Make what notices that the watch has stopped, wherever the watch runs."""
    return DeadMan(
        enquiries=gateway.enquiries,
        store=gateway.store,
        clock=gateway.clock,
        allowed_seconds=gateway.settings.watch_allowed_seconds,
    )


async def watch_alone(
    settings: Settings, stop: asyncio.Event, *, broken: Callable[[], None], differs: Callable[[], None]
) -> None:
    """Sweep a data folder until told to stop.

    Args:
        settings: as read.
        stop: set to end it.
        broken: called from another thread when the disk can no longer be trusted.
        differs: called where it may not go on, because others have begun that it is not like; it sets `stop`.

    Raises:
        ConfigurationError: another watch runs on it, or it holds no store.
        Unavailable: the store cannot be opened.
    """
    lock = claim_data_folder(settings.data, WATCH_LOCK)
    try:
        async with desk(settings, broken=broken) as at:
            reference = reference_in_force(settings.reference_folder, at.configuration.environment)
            watch = Watch(
                enquiries=at.enquiries,
                store=at.store,
                clock=at.clock,
                interval_seconds=settings.watch_seconds,
                concerns=_concerns(at.configuration, reference),
            )
            membership = _member(at, reference)
            notifier = notifier_of(
                at.configuration, name=node_name(), store=at.store, enquiries=at.enquiries, clock=at.clock
            )
            await membership.enter()
            try:
                await _sweep(watch, notifier, membership, stop, differs)
            finally:
                await membership.leave()
    finally:
        os.close(lock)


async def _sweep(
    watch: Watch,
    notifier: Notifier | None,
    membership: Membership,
    stop: asyncio.Event,
    differs: Callable[[], None],
) -> None:
    """Sweep until told to stop, or until others began that run with another configuration."""
    parts = [asyncio.create_task(watch.run(), name="watch"), asyncio.create_task(membership.run(differs))]
    if notifier is not None:
        parts.append(asyncio.create_task(notifier.run(), name="notifier"))
    for part in parts:
        part.add_done_callback(lambda _: stop.set())
    _log.info("watch_started")
    await stop.wait()
    watch.stop()
    if notifier is not None:
        notifier.stop()
    membership.stop()
    await asyncio.gather(*parts)


def _member(at: Desk, reference: Reference) -> Membership:
    """Give the place of a watch among the nodes; it seals nothing."""
    node = Node(
        name=node_name(),
        version=version("homecare-gateway"),
        parts=Part.WATCH,
        configuration=at.configuration.digest,
        reference=reference.release,
        key_id="",
    )
    return Membership(node, at.store, at.enquiries, at.clock, shared=on_server(at.settings))


def _concerns(configuration: Configuration, reference: Reference) -> Callable[[datetime], Iterator[Concern]]:
    def found(now: datetime) -> Iterator[Concern]:
        today = now.date()
        return chain(
            concerns(configuration, reference, today),
            calendar_concerns(configuration.deadlines, today),
            certificate_concerns(configuration.routing.providers.values(), today),
        )

    return found
