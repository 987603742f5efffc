"""Signs of life, the metrics, the public keys, and the lifecycle tables: what needs no patient and no secret."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from gateway.domain.deadline import ALWAYS, Deadlines
from gateway.domain.errors import Unavailable
from gateway.enquiries import WATCH, Enquiries, has_stopped
from gateway.web.lifecycle import published
from gateway.wire.strict_json import JSON, dumps

_JSON: Final = "application/json"


class Health:
    """The addresses that machines watch.

    Args:
        enquiries: asked whether the store is as it must be.
        registry: the metrics.
        jwks: public keys of the seal (RFC 7517).
        deadlines: holder and limits of each state, as configured.
        now: the clock.
        watch_seconds: how long ago deadlines may have been looked at last.
    """

    def __init__(
        self,
        enquiries: Enquiries,
        registry: CollectorRegistry,
        jwks: Mapping[str, JSON],
        deadlines: Deadlines = ALWAYS,
        *,
        now: Callable[[], datetime],
        watch_seconds: float = 60.0,
    ) -> None:
        self._enquiries = enquiries
        self._registry = registry
        self._now = now
        self._watch_seconds = watch_seconds
        self._jwks = dumps(dict(jwks))
        self._lifecycle = dumps(published(deadlines.custody, deadlines.terms))

    async def live(self, _: Request) -> Response:
        """Tell that the process answers."""
        return Response(dumps({"status": "live"}), media_type=_JSON)

    async def ready(self, _: Request) -> Response:
        """Tell whether a prescription posted now could be stored; 503 if not.

        A watch that has stopped, or a destination that is paused, is told and makes nothing worse by refusing posts.
        """
        try:
            state = await self._enquiries.ready()
            watch, paused = await self._watch(), await self._paused()
        except Unavailable:
            return Response(dumps({"status": "not ready", "store": "unavailable"}), 503, media_type=_JSON)
        return Response(
            dumps({"status": "ready", "store": {**state}, "watch": watch, "paused": paused}), media_type=_JSON
        )

    async def _watch(self) -> dict[str, JSON]:
        last = await self._enquiries.last_beat(WATCH)
        stopped = has_stopped(last, now=self._now(), allowed_seconds=self._watch_seconds)
        return {"status": "stopped" if stopped else "running", "lastSweep": last.isoformat() if last else None}

    async def _paused(self) -> list[JSON]:
        return [
            {"destination": one.destination.value, "kind": one.kind, "since": one.begun_at.isoformat()}
            for one in await self._enquiries.pauses()
        ]

    async def metrics(self, _: Request) -> Response:
        """Give the metrics in the Prometheus text format."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def keys(self, _: Request) -> Response:
        """Give the public keys that verify the gateway's seal."""
        return Response(self._jwks, media_type="application/jwk-set+json", headers={"Cache-Control": "max-age=3600"})

    async def lifecycle(self, _: Request) -> Response:
        """Give every table of states and events, with their version and digest."""
        return Response(self._lifecycle, media_type=_JSON, headers={"Cache-Control": "max-age=3600"})
