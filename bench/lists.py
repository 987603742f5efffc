"""What a list of the console costs as a file: milliseconds of processor time for a thousand rows, and until it begins.

    python -m bench.lists [--prescriptions 40000] [--folder DIR]

The whole application is asked, as in `bench.pages`, over books that were worked in, as the operator who sees all. It
writes no page of figures: it is for comparing two versions of the code on one machine, in turns.
"""

import argparse
import asyncio
import shutil
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from bench import pages
from bench.backlog import BEGAN, Orders, prepare
from bench.backlog_rows import PROVIDERS, Bulk
from bench.books import NOW, now, on_sqlite
from bench.work_rows import work

FILES: Final = {
    "what needs attention": "/console/attention.csv",
    "affected by a provider in trouble": f"/console/providers/{PROVIDERS[4]}/trouble",
    "the audit": "/console/audit.csv",
}
ROUNDS: Final = 5


async def measure(folder: Path, prescriptions: int) -> dict[str, tuple[int, float, float]]:
    """Ask for each file some times.

    Returns:
        Rows of it, and of the median round: milliseconds of CPU in all threads for a thousand rows, and of the wall
        clock until its first octets of a body came.
    """
    bulk = Bulk(rows=prescriptions, began=BEGAN, until=NOW, full_every=1, open_every=2, leaves=False, guarded=False)
    file = await prepare(folder, Orders(folder), bulk, work)
    async with on_sqlite(file, prescriptions) as books:
        operator = await pages.browser(books.enquiries, books.store, now, None)
        return {name: await _asked(operator, path) for name, path in FILES.items()}


async def _asked(browser: pages.Browser, path: str) -> tuple[int, float, float]:
    rows, spent, first = 0, [], []
    plain = pages.Browser(browser.application, browser.cookie)
    for _ in range(ROUNDS):
        cpu, began = time.process_time(), time.perf_counter()
        body, _ = await plain.ask(path)
        spent.append((time.process_time() - cpu) * 1000)
        first.append((plain.first_octet_at - began) * 1000)
        rows = body.count(b"\r\n") - 1
    return rows, sorted(spent)[ROUNDS // 2] * 1000 / max(rows, 1), sorted(first)[ROUNDS // 2]


def main() -> None:
    """Measure, and say it."""
    parser = argparse.ArgumentParser(prog="python -m bench.lists")
    parser.add_argument("--prescriptions", type=int, default=40_000, help="in the books; one in fourteen has an alert")
    parser.add_argument("--folder", type=Path, help="where the books are made, and kept for the next run")
    given = parser.parse_args()
    folder = given.folder or Path(mkdtemp())
    try:
        for name, (rows, cpu, first) in asyncio.run(measure(folder, given.prescriptions)).items():
            print(f"{name}: {rows} rows, {cpu:.0f} ms of CPU for a thousand, begins after {first:.0f} ms")
    finally:
        if given.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
