"""I9 a second time: whatever is asked of PostgreSQL as a tenant, only that tenant's rows are shown."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import pytest

from gateway.domain.custody import CUSTODY
from gateway.domain.identifiers import OdsCode
from gateway.store.sql import finding
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Clock,
    Exchange,
    RawPostgres,
    make_acceptance,
    make_incomplete,
    make_order,
    make_prescription,
    open_postgres,
)
from tests.postgres import database

OTHER = OdsCode("RZA")
NEXT = OdsCode("VNCEL")
SHOWN = (
    "submission",
    "prescription",
    "line",
    "event",
    "message",
    "allocation",
    "alert",
    "outbox",
    "cancel",
    "delivery",
    "renewal",
    "reroute",
    "kept_apart",
    "figure",
    "figure_item",
    "callback",
    "attempt",
    "hold",
    "figure",
    "figure_item",
    "patient_index",
    "refused_order",
)


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    """Give a store in which two trusts have an order each, at one provider and another, and one has a held one."""
    clock = Clock()
    opened = open_postgres(tmp_path, clock, frozenset({TRUST, OTHER}), CUSTODY)
    exchange = Exchange(opened, clock)
    for name, tenant, provider in (("A", TRUST, PROVIDER), ("B", OTHER, NEXT)):
        order = make_order(make_prescription(name), provider=provider)
        await opened.store.accept(make_acceptance(name, order, tenant=tenant))
    await opened.store.accept(make_acceptance("C", make_incomplete("C"), tenant=OTHER))
    yield exchange
    await opened.close()


@contextmanager
def asking(folder: Path, tenant: str | None) -> Iterator[RawPostgres]:
    with closing(RawPostgres(database(folder))) as raw:
        raw.execute("BEGIN")
        raw.execute("SET LOCAL ROLE gateway_tenant")
        if tenant is not None:
            raw.execute("SELECT set_config('app.tenant', ?, true)", (tenant,))
        yield raw


def counts(raw: RawPostgres) -> dict[str, int]:
    return {table: raw.execute(f"SELECT count(*) FROM {table}")[0][0] for table in SHOWN}  # noqa: S608 - constants


async def test_a_tenant_sees_its_own_rows_and_no_others(exchange: Exchange, tmp_path: Path) -> None:
    everything = {
        table: exchange.opened.rows(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 - constants
        for table in SHOWN
    }
    with asking(tmp_path, TRUST.value) as one, asking(tmp_path, OTHER.value) as other:
        first, second = counts(one), counts(other)
        assert (first["prescription"], second["prescription"]) == (1, 2)
        assert (first["alert"], second["alert"]) == (0, 1)
        assert {table: first[table] + second[table] for table in SHOWN} == everything
        for table in ("submission", "prescription", "line"):
            assert one.execute(f"SELECT DISTINCT tenant FROM {table}") == [(TRUST.value,)]  # noqa: S608 - constants


async def test_a_provider_sees_what_was_given_to_it(exchange: Exchange, tmp_path: Path) -> None:
    del exchange
    with asking(tmp_path, PROVIDER.value) as raw:
        seen = counts(raw)
        assert (seen["prescription"], seen["line"], seen["allocation"], seen["submission"]) == (1, 1, 1, 1)
        assert raw.execute("SELECT DISTINCT tenant FROM prescription") == [(TRUST.value,)]


@pytest.mark.parametrize("tenant", [None, "", "*", "R%", "' OR true --", "ZZZ"])
async def test_whoever_is_nobody_sees_nothing(exchange: Exchange, tmp_path: Path, tenant: str | None) -> None:
    del exchange
    with asking(tmp_path, tenant) as raw:
        assert set(counts(raw).values()) == {0}


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO pause (destination, kind, begun_at, begun_by, reason) VALUES ('VNE51', 'k', 1, 'a', 'r')",
        "UPDATE line SET delivered = 1",
        "SELECT about FROM audit_about",
        "SELECT body FROM audit_leaf",
        "SELECT begun_by FROM pause",
    ],
)
async def test_a_tenant_writes_nothing_and_reads_no_table_of_all(exchange: Exchange, tmp_path: Path, sql: str) -> None:
    del exchange
    with asking(tmp_path, TRUST.value) as raw, pytest.raises(asyncpg.InsufficientPrivilegeError):
        raw.execute(sql)


async def test_a_question_that_forgets_its_tenant_is_narrowed_all_the_same(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "VISIBLE", "TRUE")
    monkeypatch.setattr(finding, "_LATEST", finding._LATEST_OF_ALL)
    own = await exchange.enquiries.latest(tenant=TRUST, limit=10)
    assert [one.tenant for one in own] == [TRUST]
    assert len(await exchange.enquiries.latest(tenant=None, limit=10)) == 3


async def test_the_role_ends_with_the_question(exchange: Exchange) -> None:
    for _ in range(6):
        assert len(await exchange.enquiries.latest(tenant=TRUST, limit=10)) == 1
        assert len(await exchange.enquiries.latest(tenant=None, limit=10)) == 3
        assert await exchange.enquiries.books()
