"""Two named people who run the gateway: they act through its command line, and ask providers by telephone.

Source: brief 5; docs/operating.md.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, Final

from gateway.simulate.folder import Addresses
from gateway.simulate.providers import Provider

_PEOPLE: Final = ("demo.first", "demo.second")
_SOME: Final = 0.3
_PATIENCE: Final = 12
_BETWEEN_LOOKS: Final = 3.0
"""Seconds; how often, and how long apart, they look for what they wait for."""
_EPOCH: Final = 1
"""What a provider got was given to it first."""
_BULK_IN: Final = 4
_BULK: Final = (("VNFKT", "VNE51"), ("VN6XW", "VNCEL"))
"""Whose lines are all given to whom: the one that rejects, the one that is silent."""


class Office:
    """The people and what they do.

    Args:
        data: the gateway's data folder.
        config: its configuration folder.
        addresses: its secrets.
        providers: who may be rung.
        source: seeded; draws what is done next.
        tally: counts what was done, in words for people.
    """

    def __init__(
        self,
        *,
        data: Path,
        config: Path,
        addresses: Addresses,
        providers: Mapping[str, Provider],
        source: Random,
        tally: Counter[str],
    ) -> None:
        self._variables = {
            **os.environ,
            **addresses.variables(),
            "GATEWAY_DATA": str(data),
            "GATEWAY_CONFIG": str(config),
        }
        self._providers = providers
        self._source = source
        self._tally = tally
        self._rounds = 0
        self._acts: dict[str, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "line-uncertain": self._resolve,
            "change-awaits-ruling": self._rule,
            "line-rejected": self._move_or_close,
            "overdue": self._move_or_wait,
        }

    async def open(self) -> None:
        """Appoint the two people; the first appoints the second.

        Raises:
            RuntimeError: the gateway would not.
        """
        secret = await self._appoint(_PEOPLE[0], "One Person")
        self._variables["GATEWAY_OPERATOR_SECRET"] = secret
        second = await self._appoint(_PEOPLE[1], "Another Person", "--by", _PEOPLE[0])
        self._variables["GATEWAY_OPERATOR_SECOND_SECRET"] = second

    async def _appoint(self, name: str, person: str, *by: str) -> str:
        code, said = await self._gateway("operator", "add", name, "--person", person, *by)
        if code:
            raise RuntimeError(f"gateway operator add ended with {code}")
        return said.strip()

    async def work(self) -> None:
        """Look at the open alerts, and do one thing about them."""
        alerts = await self._alerts()
        self._rounds += 1
        if self._rounds % _BULK_IN == 0:
            await self.move_all(*_BULK[self._rounds // _BULK_IN % len(_BULK)])
            return
        found = [one for one in alerts if one["kind"] in self._acts and one["prescription"]]
        if found:
            one = self._source.choice(found)
            await self._acts[one["kind"]](one)

    async def close_for_the_day(self) -> None:
        """Give away all that was rejected, for nobody else will."""
        await self.move_all(*_BULK[0])

    async def move_all(self, giver: str, taker: str) -> None:
        """Give all that one provider has to another; what it may be supplying it is asked for."""
        await self._reroute("--all-from", giver, "--to", taker)

    async def ask_back(self, giver: str, taker: str, *, tenant: str) -> None:
        """Ask a provider, when it is late, to give up one line of a trust so that another may have it."""
        for _ in range(_PATIENCE):
            _, listed = await self._gateway("alerts", "--json", "--limit", "1000", "--tenant", tenant)
            late = [one for one in json.loads(listed or "[]") if one["kind"] == "overdue"]
            for alert in late:
                if self._providers[giver].has(alert["line"]):
                    await self._reroute(alert["prescription"], "--to", taker)
                    return
            await asyncio.sleep(_BETWEEN_LOOKS)

    async def compare_lists(self, provider: str, *, day: date) -> None:
        """Compare what a provider says that it got on a day with what the gateway says that it gave."""
        with tempfile.TemporaryDirectory() as folder:
            theirs = Path(folder) / "list.csv"
            rows = "\n".join(f"{item},{_EPOCH}" for item in self._providers[provider].listed())
            theirs.write_text(f"id,epoch\n{rows}\n", encoding="utf-8")
            found, _ = await self._gateway("reconcile", "--list", provider, "--day", str(day), "--theirs", str(theirs))
        self._tally["lists that differ"] += found != 0

    async def _move_or_close(self, alert: dict[str, Any]) -> None:
        if self._source.random() < _SOME:
            done, _ = await self._act("close", alert["prescription"], "--reason", "The hospital supplies it.")
            self._tally["closed"] += done == 0
        else:
            await self._move(alert)

    async def _move(self, alert: dict[str, Any]) -> None:
        await self._reroute(alert["prescription"], "--to", self._source.choice(("auto", "VNE51", "VDEM3", "VNCEL")))

    async def _move_or_wait(self, alert: dict[str, Any]) -> None:
        if self._source.random() < _SOME:
            done, _ = await self._act("alert", "close", str(alert["id"]), "--reason", "Seen; we wait.")
            self._tally["alerts closed"] += done == 0
        else:
            await self._move(alert)

    async def _reroute(self, *what: str) -> None:
        code, said = await self._act("reroute", *what, "--and", _PEOPLE[1], "--reason", "Another can.", "--json")
        try:
            counts = json.loads(said)["counts"]
        except (ValueError, KeyError):
            return  # killed with the rest, or nothing to re-route
        self._tally["re-routed"] += counts.get("at once", 0)
        self._tally["asked back"] += counts.get("under way", 0) if code else 0

    async def _resolve(self, alert: dict[str, Any]) -> None:
        """Ring round for what is in doubt, and say what was heard."""
        found = "with-provider" if any(p.has(alert["line"]) for p in self._providers.values()) else "never-arrived"
        done, _ = await self._act("resolve", alert["prescription"], found, "--evidence", "Read out on the telephone.")
        self._tally["doubts resolved"] += done == 0

    async def _rule(self, alert: dict[str, Any]) -> None:
        done, _ = await self._act("rule", alert["prescription"], "drop", "--reason", "The old supply is enough.")
        self._tally["rulings"] += done == 0

    async def _alerts(self) -> list[dict[str, Any]]:
        code, said = await self._gateway("alerts", "--json", "--limit", "1000")
        return list(json.loads(said)) if code == 0 else []

    async def _act(self, *words: str) -> tuple[int, str]:
        return await self._gateway(*words, "--by", _PEOPLE[0])

    async def _gateway(self, *words: str) -> tuple[int, str]:
        """Run one command of the gateway and give its exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway",
            *words,
            env=self._variables,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            out, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, out.decode()
