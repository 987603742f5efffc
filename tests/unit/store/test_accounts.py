"""What became of every stored value can be read back, one trust at a time."""

from dataclasses import replace
from pathlib import Path

from gateway.domain.identifiers import OdsCode
from gateway.domain.trace import Disposition, Leftover, TraceRow
from gateway.store.sqlite.accounts import accounts
from tests.contract.store_engines import TRUST, Clock, make_acceptance, make_order, make_prescription, open_sqlite

ROW = TraceRow(target="lines[0].quantity", source="RXE[1]-10", rule="RXE-10", transform="copy", raw="4", result="4")
LEFT = Leftover(source="PV1[1]-44", raw="x", disposition=Disposition.IGNORED_BY_RULE, rule="PV1")


async def test_traces_and_leftovers_of_one_trust_come_back_as_they_were_stored(tmp_path: Path) -> None:
    opened = open_sqlite(tmp_path, Clock())
    order = replace(make_order(make_prescription("A")), trace=(ROW,))
    await opened.store.accept(replace(make_acceptance("A", order), leftovers=(LEFT,)))
    await opened.store.close()
    (found,) = accounts(tmp_path / "gateway.db", TRUST)
    assert (found.rows, found.leftovers) == ((ROW,), (LEFT,))
    assert list(accounts(tmp_path / "gateway.db", OdsCode("RZA"))) == []
