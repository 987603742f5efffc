"""Whether the gateway stays as fast with a million prescriptions still to be sent, and finds one among five million.

    python -m bench.backlog [--rows 1000000] [--prescriptions 5000000] [--engine sqlite] [--folder DIR]
        [--record COMMIT]

A store with a thousand rows and one with a million are asked the same in turns, on one disk with full synchronisation:
what is stated is the median of the ratios of neighbouring rounds, because machines differ and are not equally fast at
every moment; of CPU time, and beside it by the clock, which other work disturbs. The files are made for it
(`bench.backlog_rows`), which takes most of the time, and deleted afterwards unless a folder for them is named; making
those that pass the triggers goes on where it was stopped.
"""

import argparse
import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from tempfile import mkdtemp
from typing import Final, TypeAlias

from bench import pages
from bench.backlog_page import ENGINES, SQLITE, Figures, Measured, page, write
from bench.backlog_rows import CHECKED, PROVIDERS, TRUSTS, Bulk, Then, fill, name_of, nhs_of, number_of
from bench.books import NOW, Books, Opening, now, on_sqlite
from bench.books_postgres import on_postgres
from bench.work_rows import work
from gateway.config.load import load
from gateway.domain.identifiers import OdsCode
from gateway.domain.submission import Submission, WireFormat
from gateway.pipeline.story import Pipeline
from gateway.pipeline.translate import read, translate
from gateway.ports.acceptance import Acceptance
from gateway.ports.looking_up import Key, NameSought
from gateway.store.keys import load_or_make
from gateway.store.sql.store import SqlStore
from gateway.store.sqlite.store import SqliteStore
from gateway.wiring.around import surroundings

EXAMPLE: Final = Path(__file__).parents[1] / "tests/golden/hl7v2/S01.hl7"
BEGAN: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SMALL: Final = 1_000
ROUNDS: Final = 9
CLAIMED: Final = 20
REPEATED: Final = 10
ACCEPTED: Final = 64
ASKED: Final = 20
DATABASE: Final = "gateway.db"
FULL_EVERY: Final = 1_000
BACKLOG_FULL: Final = 20
QUESTIONS: Final = 300
SAID: Final = {"nhs_number": "NHS number", "number": "prescription ID", "order_number": "order number"}
Act: TypeAlias = "Callable[[], Awaitable[object]]"


class _Clock:
    now = staticmethod(now)


class Orders:
    """Makes orders that were judged and sealed, each with numbers of its own: what is measured is the keeping alone."""

    def __init__(self, folder: Path) -> None:
        self._around = surroundings(load(None))
        self._sealer = load_or_make(folder, development=True).seal(self._around.organisation)
        self._numbers = count(int(time.time() * 1000))  # of no earlier run: a kept store knows those
        self._example = EXAMPLE.read_bytes()

    def make(self, store: SqlStore) -> Acceptance:
        """Make one for a store."""
        number = next(self._numbers)
        body = self._example.replace(b"S01-0001", b"MORE-%d" % number).replace(b"7001^RBA", b"M%d^RBA" % number)
        submission = Submission(tenant=OdsCode("RBA"), format=WireFormat.HL7V2, body=body, received_at=NOW)
        pipeline = Pipeline(store=store, sealer=self._sealer, around=self._around, clock=_Clock())
        translation = translate(submission, read(submission, self._around), (), self._around)
        return pipeline._acceptance(submission, translation)  # noqa: SLF001 - the step before the store


async def prepare(folder: Path, orders: Orders, bulk: Bulk, and_then: Then | None = None) -> Path:
    """Make a store in a folder, or go on where making it was stopped; give its file."""
    file = folder / DATABASE
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
        store = SqliteStore.open(file, now=now)
        await store.accept(orders.make(store))
        await store.close()
    await asyncio.to_thread(fill, file, bulk, and_then)
    return file


async def timed(act: Act) -> tuple[float, float]:
    """Give the microseconds that an act took: by the clock on the wall, and of CPU in all threads."""
    began, spent = time.perf_counter(), time.process_time()
    await act()
    return (time.perf_counter() - began) * 1e6, (time.process_time() - spent) * 1e6


async def in_turns(small: Act, big: Act, each: int) -> Figures:
    """Measure one act on both stores in turns; what is stated is of one of the things it does."""
    await small()
    await big()
    pairs = [(await timed(small), await timed(big)) for _ in range(ROUNDS)]
    return {
        "small": median(one[1] for one, _ in pairs) / each,
        "big": median(other[1] for _, other in pairs) / each,
        "ratio": median(other[1] / one[1] for one, other in pairs),
        "by the clock": median(other[0] / one[0] for one, other in pairs),
    }


async def flatness(small: Books, big: Books, orders: Orders) -> dict[str, Figures]:
    """Measure accept, claim, sweep and search on both; microseconds for one prescription, claim or question."""
    source = Random(1)  # noqa: S311 - which rows are asked for
    acts: dict[str, Callable[[Books], tuple[int, Act]]] = {
        "accept, 64 at once": lambda books: (ACCEPTED, _accepting(books, orders)),
        "claim, put on the wire": lambda books: (CLAIMED, partial(_claim, books)),
        "sweep of the watch": lambda books: (REPEATED, partial(_repeat, partial(_sweep, books))),
        "what the clock causes": lambda books: (REPEATED, partial(_repeat, partial(_turn, books))),
        "search by NHS number": lambda books: (ASKED, partial(_search, books, "nhs_number", source)),
        "search by prescription id": lambda books: (ASKED, partial(_search, books, "number", source)),
        "search by order number": lambda books: (ASKED, partial(_search, books, "order_number", source)),
        "the newest, and open alerts": lambda books: (REPEATED, partial(_repeat, partial(_front, books))),
    }
    flat: dict[str, Figures] = {}
    for name, make in acts.items():
        (each, one), (_, other) = make(small), make(big)
        flat[name] = await in_turns(one, other, each)
        print(f"{name}: {flat[name]}", flush=True)
    return flat


def _accepting(books: Books, orders: Orders) -> Act:
    ready = iter([[orders.make(books.store) for _ in range(ACCEPTED)] for _ in range(ROUNDS + 1)])

    async def act() -> None:
        await asyncio.gather(*(_accept(books.store, one) for one in next(ready)))

    return act


async def _accept(store: SqlStore, one: Acceptance) -> None:
    """Ask and write as the pipeline does for each submission."""
    tenant = one.submission.tenant
    numbers = [number.trust_number for number in one.orders[0].verdict.numbers]
    await store.look_up(tenant, one.envelope.control_id, numbers)
    await store.accept(one)


async def _claim(books: Books) -> None:
    room = dict.fromkeys(PROVIDERS, CLAIMED // len(PROVIDERS))
    for claim in await books.store.claim(worker="w", now=NOW, lease_seconds=60, room=room):
        await books.store.on_wire(claim, now=NOW)


async def _sweep(books: Books) -> None:
    await books.enquiries.overdue(now=NOW)
    await books.enquiries.expiring(now=NOW)
    await books.store.beat("watch", now=NOW)


async def _repeat(act: Act) -> None:
    for _ in range(REPEATED):
        await act()


async def _turn(books: Books) -> None:
    await books.store.turn_clock(now=NOW)


async def _search(books: Books, by: str, source: Random) -> None:
    for _ in range(ASKED):
        await search(books, by, source)


async def search(books: Books, by: str, source: Random, *, as_trust: bool = False) -> None:
    """Look for one prescription of the store by one of its numbers.

    Raises:
        ValueError: it was not found, and the figure would be of something else.
    """
    row = source.randrange(1, books.rows // CHECKED) * CHECKED
    values = {
        "nhs_number": nhs_of(row % max(books.rows // 10, 1)),
        "number": number_of(row),
        "order_number": f"RX{row}",
    }
    given = {"nhs_number": "", "number": "", "order_number": "", by: values[by]}
    tenant = OdsCode(f"R{row % TRUSTS:03}") if as_trust else None
    if not await books.enquiries.search(tenant=tenant, **given):
        raise ValueError(f"a search by {by} found nothing")


async def _front(books: Books) -> None:
    await books.enquiries.latest(tenant=None, limit=50)
    await books.enquiries.open_alerts(tenant=None, limit=50)


async def found(books: Books) -> dict[str, Figures]:
    """Measure how long each question of the console takes in big books: milliseconds of the median and of 95 %."""
    source = Random(2)  # noqa: S311 - which rows are asked for
    questions: dict[str, Act] = {
        **{f"{SAID[by]}, operator": partial(search, books, by, source) for by in SAID},
        **{f"{SAID[by]}, trust": partial(search, books, by, source, as_trust=True) for by in SAID},
        **{f"{key}, console": partial(_look_up, books, key, source) for key in (*_VALUES, Key.NHS_NUMBER)},
        "name and birth date, operator": partial(_by_name, books, source),
        "name and birth date, trust": partial(_by_name, books, source, as_trust=True),
        "one prescription, whole": partial(_view, books, source),
        "one prescription, with all behind it": partial(_view, books, source, behind=True),
        "the newest, and open alerts": partial(_front, books),
    }
    return {name: await _quantiles(question) for name, question in questions.items()}


_VALUES: Final[dict[Key, str]] = {
    Key.ORDER_NUMBER: "RX{row}",
    Key.OTHER_NUMBER: "PO-{row}",
    Key.CONTROL_ID: "BULK-{row}",
}


async def _look_up(books: Books, key: Key, source: Random) -> None:
    """Look for one prescription as the search box does, with everything that the list shows of it."""
    row = source.randrange(1, books.rows // CHECKED) * CHECKED
    value = _VALUES[key].format(row=row) if key in _VALUES else nhs_of(row % max(books.rows // 10, 1))
    if not (await books.enquiries.look_up(key, value, tenant=None)).hits:
        raise ValueError(f"looking up by {key} found nothing")


async def _by_name(books: Books, source: Random, *, as_trust: bool = False) -> None:
    row = source.randrange(1, books.rows // CHECKED) * CHECKED
    family, born = name_of(row % max(books.rows // 10, 1))
    tenant = OdsCode(f"R{row % TRUSTS:03}") if as_trust else None
    if not (await books.enquiries.by_name(NameSought(family=family, born=born), tenant=tenant)).total:
        raise ValueError("a search by name found nothing")


async def _view(books: Books, source: Random, *, behind: bool = False) -> None:
    row = source.randrange(1, books.rows // FULL_EVERY) * FULL_EVERY
    (one, *_) = await books.enquiries.search(tenant=None, order_number=f"RX{row}")
    ask = books.enquiries.dossier if behind else books.enquiries.prescription
    if await ask(one.prescription_id, tenant=None) is None:
        raise ValueError("a prescription was not found")


async def _quantiles(question: Act) -> Figures:
    taken = sorted([(await timed(question))[0] / 1000 for _ in range(QUESTIONS)])
    figures = {"median": taken[len(taken) // 2], "p95": taken[len(taken) * 95 // 100], "slowest": taken[-1]}
    print(figures, flush=True)
    return figures


async def looked_at(books: Books) -> tuple[dict[str, Figures], int]:
    """Measure the pages of the console over big books, as its operator and as pharmacists; and first paint."""
    everybody = await pages.browser(books.enquiries, books.store, now, None)
    pharmacist = await pages.browser(books.enquiries, books.store, now, pages.TRUST)
    provider = await pages.browser(books.enquiries, books.store, now, PROVIDERS[5])
    ids = await pages.whole(books.enquiries, books.rows, FULL_EVERY)
    loaded = await pages.measured(everybody, "operator", pages.of_the_list() | pages.of_the_machine())
    loaded |= await pages.measured(pharmacist, "trust", pages.of_the_list() | pages.of_one(books.rows, ids))
    loaded |= await pages.measured(provider, "provider", pages.of_the_list())
    return loaded, await pages.first_paint(pharmacist)


async def measure(folder: Path, rows: int, prescriptions: int, engine: str, opened: Opening) -> Measured:
    """Make the stores, and measure them as they are opened."""
    orders = Orders(folder)
    backlog = Bulk(rows=rows, began=BEGAN, until=NOW, full_every=BACKLOG_FULL)
    small = await prepare(folder / "small", orders, replace(backlog, rows=SMALL))
    big = await prepare(folder / "backlog", orders, backlog)
    async with opened(small, SMALL) as one, opened(big, rows) as other:
        size = other.octets
        flat = await flatness(one, other, orders)
    bulk = replace(backlog, rows=prescriptions, full_every=FULL_EVERY, open_every=7, leaves=False, guarded=False)
    file = await prepare(folder / "books", orders, bulk, work)
    async with opened(file, prescriptions) as books:
        sought = await found(books)
        loaded, first = await looked_at(books)
    return Measured(
        date=datetime.now(UTC).date().isoformat(),
        commit="",
        command=f"python -m bench.backlog --engine {engine} --rows {rows} --prescriptions {prescriptions}",
        engine=engine,
        cores=os.cpu_count() or 1,
        load=os.getloadavg()[0],
        rows=rows,
        prescriptions=prescriptions,
        backlog_bytes=size,
        books_bytes=books.octets,
        flat=flat,
        sought=sought,
        pages=loaded,
        first_paint=first,
    )


def main() -> None:
    """Measure at a small size, or at the sizes that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.backlog")
    parser.add_argument("--rows", type=int, default=20_000, help="still to be sent")
    parser.add_argument("--prescriptions", type=int, default=20_000, help="in the books that are searched")
    parser.add_argument("--engine", choices=ENGINES, default=SQLITE, help="that is asked; SQLite makes the rows")
    parser.add_argument("--folder", type=Path, help="where the stores are made, and kept for the next run")
    parser.add_argument("--record", metavar="COMMIT", help="write docs/backlog*.json and its page")
    given = parser.parse_args()
    folder = given.folder or Path(mkdtemp())
    try:
        with nullcontext(on_sqlite) if given.engine == SQLITE else on_postgres(folder) as opened:
            measured = asyncio.run(measure(folder, given.rows, given.prescriptions, given.engine, opened))
    finally:
        if given.folder is None:
            shutil.rmtree(folder)
    print(page(measured))
    if given.record:
        write({**measured, "commit": given.record})


if __name__ == "__main__":
    main()
