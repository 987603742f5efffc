"""Who must act by when, and what people do about it: deadlines, alerts, doubt, a pause. Told as short stories."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from gateway.domain.deadline import Deadlines, Limit, Term, Urgency
from gateway.domain.lifecycle import LineState
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from tests.contract.store_engines import make_acceptance, make_order, make_prescription
from tests.factories import MOMENT


async def test_an_urgent_line_has_the_deadlines_of_its_class(tmp_path: Path) -> None:
    urgent = Term(since=MOMENT.date(), urgency=Urgency.URGENT, limits={LineState.READY: Limit(seconds=60)})
    store = SqliteStore.open(tmp_path / "gateway.db", now=lambda: MOMENT, deadlines=Deadlines(terms=(urgent,)))
    enquiries = SqliteEnquiries.open(tmp_path / "gateway.db")
    for name, priority in (("A", "asap"), ("B", "routine"), ("C", "")):
        plain = make_prescription(name)
        what = replace(plain, lines=tuple(replace(each, priority=priority) for each in plain.lines))
        await store.accept(make_acceptance(name, make_order(what)))
    assert len(await enquiries.overdue(now=MOMENT + timedelta(seconds=60))) == 1
    assert len(await enquiries.overdue(now=MOMENT + timedelta(minutes=15))) == 3
    await enquiries.close()
    await store.close()
