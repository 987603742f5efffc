"""A simulated provider keeps its temper, supplies once, and says a thing until it is heard."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from gateway.simulate.behaviours import BEHAVIOURS, CHAOTIC, Behaviour
from gateway.simulate.journal import Arrived, Asked, GaveUp, Journal, ProviderEntry, Said, Supplied, Surprise
from gateway.simulate.providers import Provider

QUICK = Behaviour(name="quick", answers_after=0, supplies_after=0)


def order(supplies: int = 2, amount: int = 1) -> bytes:
    item = {"system": "https://fhir.nhs.uk/Id/prescription-order-item-number", "value": str(uuid4())}
    request = {
        "resourceType": "MedicationRequest",
        "identifier": [item],
        "groupIdentifier": {"value": "G1"},
        "medicationCodeableConcept": {},
        "dispenseRequest": {"numberOfRepeatsAllowed": supplies - 1, "quantity": {"value": amount, "unit": "tablet"}},
    }
    patient = {"resourceType": "Patient", "identifier": [{"value": "9990000077"}]}
    entries = [{"resource": request}, {"resource": patient}]
    return json.dumps({"identifier": {"value": str(uuid4())}, "entry": entries}).encode()


def update(sent: bytes, wanted: str) -> bytes:
    bundle = json.loads(sent)
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"code": "prescription-order-update"},
        "reason": {"coding": [{"code": wanted}]},
    }
    return json.dumps(
        {"identifier": {"value": str(uuid4())}, "entry": [{"resource": header}, *bundle["entry"]]}
    ).encode()


class Gateway:
    """Takes callbacks; turns the first `busy` of them away, and says that `deaf_to` moves nothing."""

    def __init__(self, *, busy: int = 0, deaf_to: str = "") -> None:
        self.heard: list[str] = []
        self._busy = busy
        self._deaf_to = deaf_to

    async def take(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer theirs"
        if self._busy:
            self._busy -= 1
            return web.Response(status=503)
        self.heard.append((await request.json())["status"])
        return web.Response(status=422 if self.heard[-1] == self._deaf_to else 200)


@asynccontextmanager
async def running(
    behaviour: Behaviour, gateway: Gateway, *, sealed: bool = True
) -> AsyncIterator[tuple[Provider, str]]:
    application = web.Application()
    application.router.add_post("/callbacks/VDEM2", gateway.take)
    async with TestServer(application) as server:
        journal: Journal[ProviderEntry] = Journal()
        provider = Provider(
            "VDEM2",
            replace(behaviour, own_json=True),
            journal=journal,
            gateway=str(server.make_url("")).rstrip("/"),
            token="theirs",
            accepts="ours",
            verify=lambda _: sealed,
            now=lambda: datetime.now(UTC),
            source=random.Random(1),
        )
        port = unused_port()
        await provider.open("127.0.0.1", port)
        try:
            yield provider, f"http://127.0.0.1:{port}/messages"
        finally:
            await provider.close()


async def post(url: str, octets: bytes, credential: str = "ours") -> int:
    headers = {"Authorization": f"Bearer {credential}"}
    async with aiohttp.ClientSession() as session, session.post(url, data=octets, headers=headers) as response:
        return response.status


async def finish(provider: Provider) -> None:
    async with asyncio.timeout(5):
        while provider.busy:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def test_a_prompt_provider_accepts_and_supplies_everything() -> None:
    gateway = Gateway()
    async with running(QUICK, gateway) as (provider, url):
        assert await post(url, order(supplies=3)) == 202
        await finish(provider)
        assert gateway.heard == ["accepted", "delivered", "delivered", "delivered"]
        assert [supply.issue for supply in provider.journal.all(Supplied)] == [1, 2, 3]


async def test_a_message_that_comes_twice_is_supplied_once() -> None:
    gateway = Gateway()
    octets = order(supplies=1)
    async with running(QUICK, gateway) as (provider, url):
        assert {await post(url, octets), await post(url, octets)} == {202}
        await finish(provider)
        assert [arrival.repeat for arrival in provider.journal.all(Arrived)] == [False, True]
        assert len(list(provider.journal.all(Supplied))) == 1


async def test_a_message_without_a_good_seal_is_refused_and_noted() -> None:
    async with running(QUICK, Gateway(), sealed=False) as (provider, url):
        assert await post(url, order()) == 422
        assert list(provider.journal.all(Surprise))
        assert not list(provider.journal.all(Supplied))


async def test_what_is_no_order_is_refused() -> None:
    async with running(QUICK, Gateway()) as (_, url):
        assert await post(url, b"{}") == 422
        assert await post(url, b"<html>") == 422


async def test_a_sender_without_the_agreed_token_is_turned_away() -> None:
    async with running(QUICK, Gateway()) as (_, url):
        assert await post(url, order(), credential="other") == 401


async def test_an_answer_is_said_until_it_is_heard() -> None:
    gateway = Gateway(busy=2)
    async with running(QUICK, gateway) as (provider, url):
        await post(url, order(supplies=1))
        await finish(provider)
        assert gateway.heard == ["accepted", "delivered"]


async def test_a_querying_provider_asks_first_and_accepts_later() -> None:
    gateway = Gateway()
    async with running(replace(QUICK, queries_in=2), gateway) as (provider, url):
        await post(url, order(supplies=1))
        await finish(provider)
        await post(url, order(supplies=1))
        await finish(provider)
        assert gateway.heard == ["queried", "accepted", "delivered", "accepted", "delivered"]


async def test_a_rejecting_provider_supplies_nothing_of_what_it_rejects() -> None:
    gateway = Gateway()
    async with running(replace(QUICK, rejects_in=2), gateway) as (provider, url):
        await post(url, order())
        await finish(provider)
        assert gateway.heard == ["rejected"]
        assert not list(provider.journal.all(Supplied))


async def test_a_silent_provider_takes_and_says_nothing() -> None:
    gateway = Gateway()
    async with running(replace(QUICK, silent_in=1), gateway) as (provider, url):
        assert await post(url, order()) == 202
        assert provider.busy == 0
        assert gateway.heard == []


async def test_a_duplicate_acknowledging_provider_says_everything_twice_and_supplies_once() -> None:
    gateway = Gateway()
    async with running(replace(QUICK, says_twice=True), gateway) as (provider, url):
        await post(url, order(supplies=1))
        await finish(provider)
        assert gateway.heard == ["accepted", "accepted", "delivered", "delivered"]
        assert len(list(provider.journal.all(Supplied))) == 1
        assert [said.repeat for said in provider.journal.all(Said)] == [False, True, False, True]


async def test_a_provider_that_cuts_the_line_has_the_message_all_the_same() -> None:
    gateway = Gateway()
    octets = order(supplies=1)
    async with running(replace(QUICK, cuts_in=1), gateway) as (provider, url):
        with pytest.raises(aiohttp.ClientError):
            await post(url, octets)
        await finish(provider)
        assert gateway.heard == ["accepted", "delivered"]
        assert await post(url, octets) == 202


async def test_a_provider_that_is_down_takes_nothing_until_it_is_up() -> None:
    async with running(replace(QUICK, down_for=0.2), Gateway()) as (provider, url):
        assert await post(url, order()) == 503
        assert not list(provider.journal.all(Arrived))
        await asyncio.sleep(0.25)
        assert await post(url, order()) == 202


SLOW = replace(QUICK, supplies_after=0.3)


async def heard(gateway: Gateway, word: str) -> None:
    async with asyncio.timeout(5):
        while word not in gateway.heard:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def test_what_is_cancelled_in_time_is_given_up_and_nothing_more_of_it_is_handed_over() -> None:
    gateway, sent = Gateway(), order(supplies=3)
    async with running(SLOW, gateway) as (provider, url):
        await post(url, sent)
        await heard(gateway, "delivered")
        await post(url, update(sent, "cancel"))
        await finish(provider)
        assert gateway.heard == ["accepted", "delivered", "cancelled"]
        assert len(list(provider.journal.all(Supplied))) == len(list(provider.journal.all(GaveUp))) == 1
        assert not provider.has(json.loads(sent)["entry"][0]["resource"]["identifier"][0]["value"])


async def test_a_supply_is_told_before_the_rest_is_given_up() -> None:
    gateway, sent = Gateway(), order(supplies=2)
    async with running(SLOW, gateway) as (provider, url):
        await post(url, sent)
        await heard(gateway, "accepted")
        provider.fall_silent()
        await asyncio.sleep(0.4)
        await post(url, update(sent, "cancel"))
        provider.speak_up()
        await finish(provider)
        assert gateway.heard == ["accepted", "delivered", "cancelled"]


async def test_what_is_all_handed_over_cannot_be_cancelled_and_what_never_came_is_unknown() -> None:
    gateway, sent = Gateway(), order(supplies=1)
    async with running(QUICK, gateway) as (provider, url):
        await post(url, sent)
        await finish(provider)
        await post(url, update(sent, "cancel"))
        await finish(provider)
        await post(url, update(order(), "cancel"))
        await finish(provider)
        assert gateway.heard == ["accepted", "delivered", "cancel-too-late", "cancel-unknown"]
        assert not list(provider.journal.all(GaveUp))


async def test_a_line_on_hold_is_handed_over_only_after_its_release() -> None:
    gateway, sent = Gateway(), order(supplies=1)
    async with running(SLOW, gateway) as (provider, url):
        await post(url, sent)
        await heard(gateway, "accepted")
        await post(url, update(sent, "hold"))
        await asyncio.sleep(0.5)
        assert not list(provider.journal.all(Supplied))
        assert provider.busy == 0, "what waits for its trust is not the provider's to finish"
        await post(url, update(sent, "release"))
        await finish(provider)
        assert gateway.heard == ["accepted", "on-hold", "released", "delivered"]


async def test_an_update_that_comes_twice_is_answered_once() -> None:
    gateway, sent = Gateway(), order(supplies=3)
    cancel = update(sent, "cancel")
    async with running(SLOW, gateway) as (provider, url):
        await post(url, sent)
        assert {await post(url, cancel), await post(url, cancel)} == {202}
        await finish(provider)
        assert gateway.heard.count("cancelled") == 1
        assert [asked.repeat for asked in provider.journal.all(Asked)] == [False, True]


async def test_a_cancel_of_what_was_rejected_may_move_nothing_and_is_no_surprise() -> None:
    gateway, sent = Gateway(deaf_to="cancelled"), order()
    async with running(replace(QUICK, rejects_in=1), gateway) as (provider, url):
        await post(url, sent)
        await finish(provider)
        await post(url, update(sent, "cancel"))
        await finish(provider)
        assert gateway.heard == ["rejected", "cancelled"]
        assert not list(provider.journal.all(Surprise))


async def test_an_answer_that_nothing_overtook_and_that_moves_nothing_is_a_surprise() -> None:
    gateway = Gateway(deaf_to="accepted")
    async with running(QUICK, gateway) as (provider, url):
        await post(url, order(supplies=1))
        await finish(provider)
        assert [surprise.what for surprise in provider.journal.all(Surprise)] == ["VDEM2: accepted was answered 422"]


async def test_a_pondering_provider_says_pending_first() -> None:
    gateway, sent = Gateway(), order(supplies=9)
    async with running(replace(SLOW, ponders_in=1), gateway) as (provider, url):
        await post(url, sent)
        await post(url, update(sent, "cancel"))
        await finish(provider)
        assert gateway.heard[-1] == "cancelled"
        assert "cancel-pending" in gateway.heard


async def test_a_provider_may_ignore_a_cancel_and_then_supplies_on() -> None:
    gateway, sent = Gateway(), order(supplies=2)
    async with running(replace(SLOW, ignores_in=1), gateway) as (provider, url):
        await post(url, sent)
        await post(url, update(sent, "cancel"))
        await finish(provider)
        assert gateway.heard == ["accepted", "delivered", "delivered"]


async def test_what_is_dropped_never_arrived() -> None:
    async with running(replace(QUICK, drops_in=1), Gateway()) as (provider, url):
        with pytest.raises(aiohttp.ClientError):
            await post(url, order())
        assert not list(provider.journal.all(Arrived))


async def test_answers_may_cross_and_come_late() -> None:
    gateway = Gateway()
    async with running(replace(QUICK, crosses_in=1, late_in=1, late_by=0.2), gateway) as (provider, url):
        await post(url, order(supplies=2))
        await asyncio.sleep(0.1)
        assert gateway.heard == []
        await finish(provider)
        assert gateway.heard == ["delivered", "accepted", "delivered"]


def test_on_a_bad_day_the_same_providers_have_every_fault() -> None:
    assert CHAOTIC.keys() == BEHAVIOURS.keys()
    for fault in ("drops_in", "cuts_in", "late_in", "crosses_in", "ignores_in", "ponders_in", "says_twice"):
        assert any(getattr(temper, fault) for temper in CHAOTIC.values()), fault


def test_the_demonstration_has_every_temper() -> None:
    tempers = BEHAVIOURS.values()
    assert any(temper.silent_in for temper in tempers)
    assert any(temper.rejects_in for temper in tempers)
    assert any(temper.queries_in for temper in tempers)
    assert any(temper.says_twice for temper in tempers)
    assert any(temper.cuts_in for temper in tempers)
    assert any(temper.down_for for temper in tempers)
    assert any(temper.takes_after for temper in tempers)
