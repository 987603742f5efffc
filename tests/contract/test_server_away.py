"""A server that restarts, crashes, freezes or loses an answer costs answers, never promises; no node stops another."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.destination import Refused
from gateway.domain.custody import CUSTODY
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.store.postgres import writer
from gateway.store.postgres.connection import Address, Postgres, address
from gateway.store.postgres.enquiries import PostgresEnquiries
from gateway.store.postgres.store import PostgresStore, elsewhere, migrate_database
from tests.contract.store_engines import (
    PROVIDER,
    TRUST,
    Clock,
    Exchange,
    Opened,
    RawPostgres,
    make_acceptance,
    make_order,
    make_prescription,
    open_postgres,
    stored_answer,
)
from tests.factories import MOMENT
from tests.postgres import Server, database

PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Give a server that may be stopped: no other test uses it."""
    server = Server()
    yield server
    server.remove()


@pytest.fixture
def where(server: Server, request: pytest.FixtureRequest) -> Address:
    name = f"t{abs(hash(request.node.nodeid))}"
    run(address(server.url("postgres")), f'CREATE DATABASE "{name}"')
    return address(server.url(name))


@pytest.fixture
async def exchange(where: Address) -> AsyncIterator[Exchange]:
    clock = Clock()
    store = PostgresStore.open(where, now=clock.now, tells=frozenset({TRUST}))
    opened = Opened(store, PostgresEnquiries.open(where), lambda: RawPostgres(where))
    yield Exchange(opened, clock)
    await opened.close()


def run(where: Address, *statements: str) -> None:
    def do() -> None:
        connection = Postgres(where)
        try:
            connection.connect()
            for sql in statements:
                connection.script(sql)
        finally:
            connection.close()

    elsewhere(do)


async def persist(doing: Any, *arguments: Any, **named: Any) -> Any:
    """Do it again until the store is there."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await doing(*arguments, **named)
            except Unavailable:
                await asyncio.sleep(0.1)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_restart_in_the_midst_loses_nothing_that_was_answered(
    exchange: Exchange, server: Server, mode: str
) -> None:
    answered: set[str] = set()
    begun, stop, back, going_on = (asyncio.Event() for _ in range(4))

    async def post(name: str) -> None:
        while not stop.is_set():
            number = len(answered)
            key = f"{name}{number}"
            try:
                await exchange.store.accept(make_acceptance(key))
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                answered.add(key)
                begun.set()
                if back.is_set():
                    going_on.set()

    posting = [asyncio.create_task(post(name)) for name in "ABCD"]
    async with asyncio.timeout(PATIENCE_SECONDS):
        await begun.wait()
    await asyncio.to_thread(server.stop, mode)
    try:
        with pytest.raises(Unavailable):
            await exchange.store.accept(make_acceptance("away"))
        with pytest.raises(Unavailable):
            await exchange.enquiries.books()
    finally:
        await asyncio.to_thread(server.start)
    back.set()
    await persist(exchange.store.accept, make_acceptance("back"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await going_on.wait()
    stop.set()
    await asyncio.gather(*posting)
    known = {key for (key,) in exchange.opened.rows("SELECT control_id FROM submission")}
    assert {f"MSG{key}" for key in answered} <= known
    books = await persist(exchange.enquiries.books)
    assert books["accepted"] == len(known)
    ledger = await exchange.enquiries.ledger(day=None, now=exchange.clock.now())
    assert ledger.faults == ()


async def test_a_connection_that_was_cut_is_made_anew(exchange: Exchange) -> None:
    await exchange.store.accept(make_acceptance("A"))
    assert await exchange.enquiries.books()
    exchange.opened.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    await exchange.store.accept(make_acceptance("B"))
    assert (await exchange.enquiries.books())["accepted"] == 2


@pytest.mark.parametrize("reached", [True, False], ids=["the commit reached the server", "it did not"])
async def test_a_commit_whose_answer_is_lost_is_no_yes_and_a_repeat_finds_what_is_true(
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
    reached: bool,  # noqa: FBT001
) -> None:
    real = Postgres.commit

    def commit(self: Postgres) -> None:
        monkeypatch.setattr(Postgres, "commit", real)
        if reached:
            real(self)
        self.drop()
        real(self)

    monkeypatch.setattr(Postgres, "commit", commit)
    what = make_acceptance("A")
    with pytest.raises(Unavailable, match="not known"):
        await exchange.store.accept(what)
    assert (await stored_answer(exchange.store, TRUST, "MSGA") is not None) is reached
    again = await exchange.store.accept(what)
    assert again.answer.body == what.answer.body
    assert (await exchange.enquiries.books())["accepted"] == 1


@pytest.mark.parametrize("statement", ["SELECT 1 / 0", "ROLLBACK"], ids=["failed", "gone"])
async def test_a_commit_that_the_server_made_a_rollback_of_is_no_yes(exchange: Exchange, statement: str) -> None:
    """A server answers the commit of a transaction that had failed without an error, and stores nothing."""
    connection: Postgres = exchange.store._transaction.connection  # type: ignore[attr-defined]

    def fail() -> None:
        with suppress(asyncpg.DivisionByZeroError):
            connection.script(statement)

    good = exchange.store.accept(make_acceptance("A"))
    bad = exchange.store._run(fail)  # type: ignore[attr-defined]
    for found in await asyncio.gather(good, bad, return_exceptions=True):
        if isinstance(found, BaseException):
            assert isinstance(found, Unavailable)
    known = exchange.opened.rows("SELECT control_id FROM submission")
    again = await stored_answer(exchange.store, TRUST, "MSGA")
    assert (again is not None) is bool(known)
    with pytest.raises(Unavailable):
        await exchange.store._run(fail)  # type: ignore[attr-defined]
    await exchange.store.accept(make_acceptance("B"))


async def test_who_freezes_with_the_lock_does_not_stop_the_others(
    exchange: Exchange, where: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "IDLE_SECONDS", 1)
    frozen = Postgres(where)

    def freeze() -> None:
        frozen.connect()
        writer.begin(frozen)

    elsewhere(freeze)
    exchange.opened.rows("SELECT 1")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await exchange.store.accept(make_acceptance("A"))

    def wake() -> None:
        with pytest.raises(Exception, match=r"away|lost"):
            frozen.execute("UPDATE meta SET generation = 99")
        frozen.close()

    elsewhere(wake)
    assert exchange.opened.rows("SELECT generation FROM meta") == [(1,)]


async def test_who_waits_too_long_for_the_lock_is_told_that_nothing_was_stored(
    exchange: Exchange, where: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOCK_SECONDS", 1)
    with closing(RawPostgres(where)) as holder:
        holder.execute("BEGIN")
        holder.execute(f"SELECT pg_advisory_xact_lock({writer.WRITERS_LOCK})")
        with pytest.raises(Unavailable, match="nothing was stored"):
            await exchange.store.accept(make_acceptance("A"))
    await exchange.store.accept(make_acceptance("A"))


async def test_a_node_frozen_past_its_lease_finds_its_work_taken(exchange: Exchange, where: Address) -> None:
    """Two nodes on one database: what the one leased and did not do in time, the other does; the first is fenced."""
    clock = exchange.clock
    other = PostgresStore.open(where, now=clock.now, tells=frozenset({TRUST}))
    for name in ("A", "B"):
        await exchange.store.accept(make_acceptance(name))
    first, second = await exchange.claim(room=2)
    assert await exchange.store.on_wire(second, now=clock.now())
    clock.move(seconds=61)
    assert await other.recover(now=clock.now(), recognises_repeats=frozenset({PROVIDER})) == 2
    taken = await other.claim(worker="x", now=clock.now(), lease_seconds=60, room={PROVIDER: 10})
    assert {one.id for one in taken} == {first.id, second.id}
    assert not await exchange.store.on_wire(first, now=clock.now())
    await exchange.store.record(second, Refused(reason="late"), now=clock.now(), retry_at=None)
    rows = exchange.opened.rows("SELECT outbox, fenced FROM attempt WHERE outcome = 'refused'")
    assert rows == [(second.id, 1)]
    states = exchange.opened.rows("SELECT DISTINCT state FROM outbox WHERE kind = 'deliver'")
    assert states == [("claimed",)]
    await other.close()


@pytest.mark.timeout(180)
async def test_two_nodes_share_the_work_and_none_is_done_twice(exchange: Exchange, where: Address) -> None:
    other = PostgresStore.open(where, now=exchange.clock.now, tells=frozenset({TRUST}))
    await asyncio.gather(
        *((exchange.store, other)[number % 2].accept(make_acceptance(f"N{number}")) for number in range(40))
    )
    claimed = []
    for _ in range(10):
        groups = await asyncio.gather(
            *(
                store.claim(worker=name, now=exchange.clock.now(), lease_seconds=60, room={PROVIDER: 3})
                for name, store in (("a", exchange.store), ("b", other))
            )
        )
        claimed += [claim for group in groups for claim in group]
    assert len(claimed) == len({claim.id for claim in claimed}) == 40
    sent = await asyncio.gather(
        *((exchange.store, other)[claim.id % 2].on_wire(claim, now=exchange.clock.now()) for claim in claimed)
    )
    assert all(sent)
    leaves = exchange.opened.rows("SELECT max(seq) - count(*) FROM audit_leaf")
    assert leaves == [(0,)]
    await other.close()


@pytest.mark.parametrize("value", ["off", "local", "remote_write"])
async def test_a_server_that_promises_less_is_refused(where: Address, value: str) -> None:
    name = where.url.partition("?")[0].rpartition("/")[2]
    run(where, f'ALTER DATABASE "{name}" SET synchronous_commit = {value}')
    with pytest.raises(ConfigurationError, match=f"synchronous_commit is {value}"):
        PostgresStore.open(where, now=lambda: MOMENT)


async def test_behind_a_pooler_nothing_is_kept_prepared(tmp_path: Path) -> None:
    plain = database(tmp_path)
    pooled = address(f"{plain.url}&statement_cache_size=0")
    assert pooled.prepared == 0
    clock = Clock()
    opened = Opened(
        PostgresStore.open(pooled, now=clock.now), PostgresEnquiries.open(pooled), lambda: RawPostgres(pooled)
    )
    exchange = Exchange(opened, clock)
    await exchange.store.accept(make_acceptance("A", make_order(make_prescription("A"))))
    await exchange.send()
    assert exchange.opened.rows("SELECT count(*) FROM pg_prepared_statements") == [(0,)]
    assert len(await exchange.enquiries.latest(tenant=TRUST, limit=5)) == 1
    await opened.close()


@pytest.mark.parametrize("url", ["", "mysql://u@h/d", "postgresql://h", "postgresql://u@h/d?statement_cache_size=x"])
def test_what_is_no_url_of_a_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="the database's URL"):
        address(url)


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("postgresql://u@/d", True),
        ("postgresql://u@/d?host=/run/postgresql", True),
        ("postgresql://u@localhost:5432/d", True),
        ("postgresql://u@127.0.0.1/d", True),
        ("postgresql://u@[::1]:5432/d", True),
        ("postgresql://u@db.example/d?sslmode=verify-full", True),
        ("postgresql://u@one,two/d?sslmode=require", True),
        ("postgresql://u:pass@db.example/d", False),
        ("postgresql://u@10.0.0.1:5432/d", False),
        ("postgresql://u@[fd00::1]/d", False),
        ("postgresql://u@localhost,db.example/d", False),
        ("postgresql://u@/d?host=db.example", False),
        ("postgresql://u@localhost/d?host=db.example", False),
        ("postgresql://u@db.example/d?sslmode=prefer", False),
        ("postgresql://u@db.example/d?sslmode=disable", False),
    ],
)
def test_another_machine_is_reached_over_tls_alone(url: str, taken: bool) -> None:  # noqa: FBT001
    if taken:
        assert address(url).prepared
    else:
        with pytest.raises(ConfigurationError, match="TLS alone"):
            address(url)


def test_the_password_of_a_url_is_never_shown() -> None:
    assert "secret" not in repr(address("postgresql://u:secret@h/d?sslmode=require"))


async def test_two_nodes_that_start_at_once_migrate_once(where: Address) -> None:
    numbers = await asyncio.gather(*(asyncio.to_thread(migrate_database, where, now=MOMENT) for _ in range(3)))
    assert len(set(numbers)) == 1
    with closing(RawPostgres(where)) as raw:
        ran = [number for (number,) in raw.execute("SELECT number FROM step ORDER BY number")]
    assert len(set(ran)) == len(ran)
    assert ran[-1] == numbers[0]


async def test_a_user_that_may_make_no_role_is_told_what_to_do(where: Address) -> None:
    name = where.url.partition("?")[0].rpartition("/")[2]
    run(
        where,
        "CREATE ROLE plain LOGIN",
        f'ALTER DATABASE "{name}" OWNER TO plain',
        "ALTER SCHEMA public OWNER TO plain",
    )
    plain = address(where.url.replace("://gateway@", "://plain@"))
    with pytest.raises(ConfigurationError, match="may not do"):
        migrate_database(plain, now=MOMENT)
    run(where, "GRANT gateway_tenant TO plain")
    store = PostgresStore.open(plain, now=lambda: MOMENT)
    await store.accept(make_acceptance("A"))
    enquiries = PostgresEnquiries.open(plain)
    assert len(await enquiries.latest(tenant=TRUST, limit=5)) == 1
    assert await enquiries.latest(tenant=OdsCode("RZA"), limit=5) == ()
    await enquiries.close()
    await store.close()
    run(where, f'ALTER DATABASE "{name}" OWNER TO gateway')


async def test_a_database_of_another_program_is_refused(where: Address) -> None:
    run(where, "CREATE TABLE submission (id bigint)")
    with pytest.raises(ConfigurationError, match="another program"):
        PostgresStore.open(where, now=lambda: MOMENT)


async def test_who_does_not_own_the_tables_is_refused_for_it_would_see_no_row(where: Address) -> None:
    migrate_database(where, now=MOMENT)
    run(
        where,
        "CREATE ROLE another LOGIN",
        "GRANT gateway_tenant TO another",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO another",
    )
    with pytest.raises(ConfigurationError, match="belong to another user"):
        PostgresStore.open(address(where.url.replace("gateway@", "another@")), now=lambda: MOMENT)
    run(where, "GRANT gateway TO another")
    await PostgresStore.open(address(where.url.replace("gateway@", "another@")), now=lambda: MOMENT).close()


async def test_who_may_not_make_the_tables_is_told_so(where: Address) -> None:
    run(where, "CREATE ROLE poor LOGIN")
    with pytest.raises(ConfigurationError, match="may not do what a step"):
        PostgresStore.open(address(where.url.replace("gateway@", "poor@")), now=lambda: MOMENT)


@pytest.mark.parametrize(("kind", "fits"), [("pre", True), ("post", False)])
async def test_only_what_a_newer_version_has_prepared_is_taken(where: Address, kind: str, fits: bool) -> None:  # noqa: FBT001
    migrate_database(where, now=MOMENT)
    run(where, f"INSERT INTO step (number, kind, ran_at) VALUES (9999, '{kind}', 1)")  # noqa: S608 - of two words
    if fits:
        await PostgresStore.open(where, now=lambda: MOMENT).close()
    else:
        with pytest.raises(ConfigurationError, match="newer version"):
            PostgresStore.open(where, now=lambda: MOMENT)


async def test_no_server_is_an_outage_and_not_a_fault(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        PostgresStore.open(address(f"postgresql://u@/d?host={tmp_path}"), now=lambda: MOMENT)


async def test_text_that_the_server_cannot_hold_costs_its_own_write_alone(tmp_path: Path) -> None:
    """A NUL is refused by the readers of every format; should one come through, it must not stop the others."""
    opened = open_postgres(tmp_path, Clock(), frozenset(), CUSTODY)
    bad = opened.store.accept(make_acceptance("A", control_id="a\0b"))
    good = opened.store.accept(make_acceptance("B"))
    first, second = await asyncio.gather(bad, good, return_exceptions=True)
    assert isinstance(first, Exception)
    assert not isinstance(second, BaseException)
    assert (await opened.enquiries.latest(tenant=OdsCode("RBA"), limit=5))[0].group_number == "GRPB"
    await opened.close()
