"""Everybody around the gateway in one run: trusts on each of the doors, and seven providers with their tempers."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from gateway.simulate.behaviours import BEHAVIOURS, CHAOTIC, SILENT, TROUBLED, WATCHED, Behaviour
from gateway.simulate.channels import Channel, HttpChannel, MllpChannel
from gateway.simulate.errands import ALWAYS, Wont
from gateway.simulate.folder import Addresses
from gateway.simulate.follow_ups import Deed
from gateway.simulate.journal import Journal
from gateway.simulate.listeners import listen_http, listen_mllp
from gateway.simulate.messages import Style
from gateway.simulate.mllp_line import Line
from gateway.simulate.profile import Profile
from gateway.simulate.providers import Provider
from gateway.simulate.seals import Seals
from gateway.simulate.signing import Signer
from gateway.simulate.trusts import Trust
from gateway.simulate.written import Flaw, write_prescriptions

_V2_FLAWS = (
    Flaw.NHS_NUMBER,
    Flaw.DRUG_UNKNOWN,
    Flaw.DOSE_TWICE,
    Flaw.CONTROLLED,
    Flaw.PROVIDER_UNKNOWN,
    Flaw.UNIT_LOCAL,
)
_ANY = tuple(BEHAVIOURS)
PROFILES: dict[str, Profile] = {
    "RBA": Profile(
        ods="RBA",
        system="EPMA",
        site="RBA11",
        styles=(Style.V2_ENHANCED, Style.V2_ORIGINAL),
        flaws=_V2_FLAWS,
        providers=("", *_ANY),
    ),
    "RZA": Profile(
        ods="RZA",
        system="NORTHEPR",
        site="RZA01",
        styles=(Style.V2_OMP, Style.V2_ORIGINAL),
        flaws=_V2_FLAWS,
        providers=("", *_ANY),
    ),
    "RZB": Profile(
        ods="RZB",
        system="ExampleEPMA",
        site="RZB01",
        styles=(Style.XML,),
        flaws=(Flaw.NHS_NUMBER, Flaw.DRUG_UNKNOWN, Flaw.CONTROLLED, Flaw.LEVEL_WRONG, Flaw.PROVIDER_UNKNOWN),
        providers=_ANY,
    ),
    "RZC": Profile(
        ods="RZC",
        system="ExampleEPR",
        site="RZC01",
        styles=(Style.FHIR,),
        flaws=(Flaw.NHS_NUMBER, Flaw.DRUG_UNKNOWN, Flaw.CONTROLLED, Flaw.FORM_AS_UNIT, Flaw.PROVIDER_UNKNOWN),
        providers=_ANY,
    ),
    "RZD": Profile(
        ods="RZD",
        system="MOOREPR",
        site="RZD01",
        styles=(Style.V2_OMP,),
        flaws=_V2_FLAWS,
        providers=_ANY,
        changes_in=0,
        checks=False,
        for_visitors=True,
    ),
    "RZE": Profile(
        ods="RZE",
        system="DALEEPR",
        site="RZE01",
        styles=(Style.V2_OMP,),
        flaws=(Flaw.SIGNER_UNKNOWN,),
        providers=_ANY,
        changes_in=0,
        flawed_in=1,
        for_visitors=True,
    ),
}
NAMES = {
    "RBA": "Example Trust",
    "RZA": "Example North",
    "RZB": "Example Coast",
    "RZC": "Example Vale",
    "RZD": "Example Moor",
    "RZE": "Example Dale",
    "VNE51": "Example Homecare Ltd",
    "VNCEL": "Example Backup Homecare",
    "VNFKT": "Example Strict Homecare",
    "VN6XW": "Example Silent Homecare",
    "VDEM1": "Example Echo Homecare",
    "VDEM2": "Example Query Homecare",
    "VDEM3": "Sandbox",
}
OVER_MLLP = ("RBA",)
SEES_TROUBLE = "RBA"
"""Whose people have work of every kind while a person looks on: nobody else's orders go where the trouble is."""
_TO_TROUBLE = ("", SILENT, "VDEM3", *[TROUBLED] * 9)
_TO_HOLD = (Flaw.UNIT_LOCAL, Flaw.DOSE_TWICE, Flaw.DRUG_UNKNOWN)
_OPENING = 20
_REFUSES_NEWS_IN = 15
_WATCHED_WONT = Wont(
    plans=((Deed.CANCEL,), (Deed.CANCEL,), (Deed.HOLD,), (Deed.MOVE,), (Deed.CHANGE,)),
    waits=(1.0,),
    provider=TROUBLED,
    supplies=2,
)
"""Cancels and holds meet the upsets of that provider; what is supplied once is left to its troubles. Some patients move
house meanwhile."""
_PATIENCE_SECONDS = 5.0
_GARBAGE = (
    b"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
    b"\x0bMSH|^~\\&|EPMA|RBA\x0b\x1c\x0d",
    b"\x0bnot a message\x1c\x0d",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What tells one run from another.

    Attributes:
        seed: equal seeds prescribe equal things.
        tag: keeps order numbers of different runs on the same data apart.
        anchors: file of the certificates that vouch for the gateway's seal.
        journals: folder for the journals.
        lines: how many messages each trust has under way at once.
        chaos: trusts cancel, hold and change what they sent, and providers have a bad day.
        visitors: whether a person looks on, and may act.
    """

    seed: int
    tag: str
    anchors: Path
    journals: Path
    lines: int = 2
    chaos: bool = False
    visitors: bool = False

    @property
    def watched(self) -> bool:
        """Whether things go wrong for a person to end them; on a bad day enough goes wrong by itself."""
        return self.visitors and not self.chaos


class World:
    """The parties, opened and closed together."""

    def __init__(self, run: Run, addresses: Addresses) -> None:
        run.journals.mkdir(parents=True, exist_ok=True)
        self._addresses = addresses
        self._source = Random(run.seed)  # noqa: S311 - simulation; repeatable on purpose
        self._stack = AsyncExitStack()
        seals = Seals(run.anchors, now=now)
        self.trusts = {
            ods: self._trust(_watched(profile) if run.watched else profile, run)
            for ods, profile in PROFILES.items()
            if run.visitors or not profile.for_visitors
        }
        tempers = CHAOTIC if run.chaos else WATCHED if run.watched else BEHAVIOURS
        self.providers = {ods: self._provider(ods, temper, run, seals.checker(ods)) for ods, temper in tempers.items()}
        for trust in self.trusts.values():
            self._stack.push_async_callback(trust.close)
        for provider in self.providers.values():
            self._stack.push_async_callback(provider.close)

    def _trust(self, profile: Profile, run: Run) -> Trust:
        source = Random(f"{run.seed} {profile.ods}")  # noqa: S311 - as above
        prescriptions = write_prescriptions(
            source,
            trust=profile.ods,
            run=run.tag,
            flaws=profile.flaws,
            providers=profile.providers,
            now=now(),
            flawed_in=profile.flawed_in,
        )
        sign = Signer(now).sign if Flaw.SIGNER_UNKNOWN in profile.flaws else None
        return Trust(
            profile,
            prescriptions=prescriptions,
            channels=tuple(self._channel(profile.ods, sign) for _ in range(run.lines)),
            journal=Journal(run.journals / f"trust-{profile.ods}.jsonl"),
            names=NAMES,
            now=now,
            source=Random(source.random()),  # noqa: S311 - as above
            errands=self._channel(profile.ods) if run.chaos or profile.opening else None,
            wont=_WATCHED_WONT if profile.opening else ALWAYS,
        )

    def _channel(self, ods: str, sign: Callable[[bytes], str] | None = None) -> Channel:
        if ods in OVER_MLLP:
            return MllpChannel(self._addresses.host, self._addresses.mllp, patience_seconds=_PATIENCE_SECONDS)
        base, token = self._addresses.base, self._addresses.tokens[ods]
        return HttpChannel(base, token, patience_seconds=_PATIENCE_SECONDS, sign=sign)

    def _provider(self, ods: str, temper: Behaviour, run: Run, verify: Callable[[bytes], bool]) -> Provider:
        return Provider(
            ods,
            temper,
            journal=Journal(run.journals / f"provider-{ods}.jsonl"),
            gateway=self._addresses.base,
            token=self._addresses.tokens[ods],
            accepts=self._addresses.shown[ods],
            verify=verify,
            now=now,
            source=Random(f"{run.seed} {ods}"),  # noqa: S311 - as above
        )

    async def open(self) -> None:
        """Open every listener and every provider."""
        host = self._addresses.host
        for ods, trust in self.trusts.items():
            open_listener = listen_mllp if ods in OVER_MLLP else listen_http
            listener = await open_listener(trust, host, self._addresses.listeners[ods])
            self._stack.push_async_callback(listener.close)
        for ods, provider in self.providers.items():
            await provider.open(host, self._addresses.providers[ods])

    async def close(self) -> None:
        """Close everybody."""
        await self._stack.aclose()

    async def open_the_day(self, count: int, *, pause_seconds: float = 0.0) -> None:
        """Let the trusts prescribe `count` between them, and what each has to begin with."""
        await self._prescribe(count, pause_seconds, opening=True)

    async def prescribe(self, count: int, *, pause_seconds: float = 0.0) -> None:
        """Let the trusts prescribe `count` between them; returns when all have been answered."""
        await self._prescribe(count, pause_seconds, opening=False)

    async def _prescribe(self, count: int, pause_seconds: float, *, opening: bool) -> None:
        each, over = divmod(count, len(self.trusts))
        async with asyncio.TaskGroup() as group:
            for place, trust in enumerate(self.trusts.values()):
                more = trust.profile.opening if opening else 0
                group.create_task(trust.prescribe(each + (place < over) + more, pause_seconds=pause_seconds))

    def rest(self) -> None:
        """Let the trusts prescribe no more."""
        for trust in self.trusts.values():
            trust.rest()

    async def disturb(self) -> None:
        """Send the MLLP door what no interface engine should send."""
        for octets in _GARBAGE:
            line = Line(self._addresses.host, self._addresses.mllp, patience_seconds=2.0)
            try:
                await line.exchange_raw(octets)
            except ConnectionError:
                pass  # hung up on, or left waiting: either is right
            finally:
                line.hang_up()

    @property
    def busy(self) -> bool:
        """Whether a provider still has something to say, or a trust something to do with what it sent."""
        return self.prescribing or any(provider.busy for provider in self.providers.values())

    @property
    def prescribing(self) -> bool:
        """Whether a trust still has something to do with what it sent."""
        return any(trust.busy for trust in self.trusts.values())


def _watched(profile: Profile) -> Profile:
    """Give what a trust is like while a person looks on."""
    if profile.ods == SEES_TROUBLE:
        return replace(
            profile, flaws=_TO_HOLD, providers=_TO_TROUBLE, opening=_OPENING, refuses_news_in=_REFUSES_NEWS_IN
        )
    return replace(profile, providers=tuple(one for one in profile.providers if one != TROUBLED))


def now() -> datetime:
    """Give the present moment."""
    return datetime.now(UTC)
