"""What runs out with each provider is counted for all of them at once, and is what each would be told alone."""

from functools import partial
from itertools import product
from random import Random
from typing import Any

import pytest

from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.store.sql import attention_found
from gateway.store.sql.instants import stored
from gateway.store.sql.transaction import Reader, Row, Values
from tests.contract.store_engines import PROVIDER, TRUST, Exchange
from tests.contract.test_lead_times import NEXT, keep, take

DAYS = (2, 6, 9, 11, None)
STATES = (LineState.HELD, LineState.AWAITING_SCREENING, LineState.HELD)
KINDS = ("line-rejected", "patient-died", "line-undeliverable", "overdue")
_ALSO = """
INSERT INTO alert (kind, subject, line, tenant, opened_at, text, place, last_day, risk, provider)
SELECT :kind, :subject, id, :tenant, :at, 'Beside another.', :place, :day, 1, :provider FROM line WHERE id = :line
"""


async def fill(exchange: Exchange, seed: int) -> None:
    """Take lines of two providers in every state that waits, some with several alerts, of one provider or of two."""
    source = Random(seed)
    for number, (days, to, state) in enumerate(product(DAYS, (PROVIDER, NEXT), STATES)):
        await take(exchange, f"N{number}", days, to, state)
    for number in range(40):
        line = source.randrange(1, len(DAYS) * 2 * len(STATES) + 1)
        day = source.choice((None, "2026-10-02", "2026-10-05", "2026-10-08", "2026-11-05"))
        of = source.choice((PROVIDER.value, NEXT.value, None))
        values: dict[str, Any] = {"kind": source.choice(KINDS), "subject": f"also-{number}", "line": line}
        values |= {"tenant": source.choice((TRUST.value, None)), "provider": of, "day": day}
        values |= {"at": stored(exchange.clock.now()), "place": source.choice((0, 1, 1))}
        exchange.opened.raw.execute(_ALSO, values)


async def both_ways(exchange: Exchange, tenant: OdsCode, days: int) -> tuple[dict[OdsCode, int], dict[OdsCode, int]]:
    """Give what is counted at once, and what of each alone."""
    now, providers = exchange.clock.now(), (PROVIDER, NEXT)
    ask = partial(attention_found.running_out, tenant=tenant, days=days, now=now)
    one_by_one = [
        await exchange.enquiries._ask(partial(ask, providers=(one,)), tenant)  # type: ignore[attr-defined]
        for one in providers
    ]
    at_once = await exchange.enquiries.running_out(providers, tenant=tenant, days=days, now=now)
    return dict(at_once), {one: found[one] for one, found in zip(providers, one_by_one, strict=True)}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("lead", [0, 9])
async def test_all_at_once_are_each_alone(exchange: Exchange, seed: int, lead: int) -> None:
    if lead:
        await keep(exchange, VNCEL=lead)
    await fill(exchange, seed)
    counts = set()
    for tenant, days in product((TRUST, PROVIDER, NEXT), (1, 3, 7, 30)):
        at_once, each = await both_ways(exchange, tenant, days)
        assert at_once == each, (tenant, days)
        counts |= {*each.values()}
    assert len(counts) > len(DAYS)


@pytest.mark.parametrize("most", [3, 12, 24])
async def test_where_there_are_too_many_they_are_counted_one_by_one(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    await fill(exchange, 7)
    monkeypatch.setattr(attention_found, "MOST_COUNTED", most)
    at_once, each = await both_ways(exchange, TRUST, 30)
    assert at_once == {one: min(count, most) for one, count in each.items()}


class Counting:
    """A reader that counts the statements it is asked."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.asked = 0

    def execute(self, sql: str, values: Values = (), /) -> list[Row]:
        """See `gateway.store.sql.transaction.Reader`."""
        self.asked += 1
        return list(self._reader.execute(sql, values))


async def test_ten_providers_are_no_more_questions_than_two(exchange: Exchange) -> None:
    await fill(exchange, 1)
    asked = []
    for providers in ((PROVIDER, NEXT), (PROVIDER, NEXT, *(OdsCode(f"VB00{number}") for number in range(8)))):
        count = partial(
            attention_found.running_out, providers=providers, tenant=TRUST, days=7, now=exchange.clock.now()
        )

        def question(reader: Reader, count: Any = count) -> int:
            counting = Counting(reader)
            count(counting)
            return counting.asked

        asked.append(await exchange.enquiries._ask(question, TRUST))  # type: ignore[attr-defined]
    assert asked[0] == asked[1]
