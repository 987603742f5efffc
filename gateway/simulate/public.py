"""What anybody with a credential may ask the gateway: where a prescription is, and the counts of the whole."""

import asyncio
import json
from typing import Any

import aiohttp

from gateway.simulate.books import Place
from gateway.simulate.folder import Addresses

_ALERTS = "urn:x-homecare-gateway:open-alerts"


class Public:
    """The gateway's public answers.

    Args:
        addresses: where it is, and the tokens to ask with.
    """

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._session: aiohttp.ClientSession | None = None
        self._at_once = asyncio.Semaphore(8)

    async def place(self, trust: str, control_id: str) -> Place | None:
        """Ask, as a trust, where the prescriptions of its own message are; None when no answer came."""
        answer = await self._get(trust, "/FHIR/R4/Task", {"message-identifier": control_id})
        if answer is None:
            return None
        tasks = [entry["resource"] for entry in answer.get("entry", []) if entry["resource"]["resourceType"] == "Task"]
        states = tuple(task["businessStatus"]["coding"][0]["code"] for task in tasks)
        alerts = sum(
            extension["valueInteger"]
            for task in tasks
            for extension in task.get("extension", [])
            if extension["url"] == _ALERTS
        )
        return Place(states=states, alerts=alerts)

    async def books(self) -> dict[str, int] | None:
        """Ask, as the operator, for the gateway's own counts; None when no answer came."""
        answer = await self._get("operator", "/console/books.json", {})
        return None if answer is None else {name: int(count) for name, count in answer.items()}

    async def _get(self, caller: str, path: str, query: dict[str, str]) -> dict[str, Any] | None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10.0))
        headers = {"Authorization": f"Bearer {self._addresses.tokens[caller]}"}
        try:
            async with (
                self._at_once,
                self._session.get(self._addresses.base + path, params=query, headers=headers) as response,
            ):
                if not response.ok:
                    return None
                answer = json.loads(await response.read(), parse_float=str)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None
        return answer if isinstance(answer, dict) else None

    async def close(self) -> None:
        """Let go of the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None
