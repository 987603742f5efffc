"""Approved entries as a trust's file has them: written and read back, they say the same."""

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gateway.config.codes_written import codes_as_toml
from gateway.config.fields import Fields
from gateway.config.trust_maps import read_codes
from gateway.domain.code_map import ApprovedEntry, MapKind, UnknownCode, entry_of
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.identifiers import OdsCode

_TARGET = Coding(system=SNOMED, code="3318611000001103", display="pre-filled disposable injection")


def approved(code: str, text: str, system: str = "99LOC") -> ApprovedEntry:
    unknown = UnknownCode(kind=MapKind.UNIT, code=code, text=text, system=system)
    return ApprovedEntry(
        number=12,
        trust=OdsCode("RBA"),
        code_id=UUID(int=1),
        entry=entry_of(12, unknown, _TARGET, ("p.one", "m.two")),
        proposed_by="p.one",
        approved_by="m.two",
        reason="The label.",
        approved_at=datetime(2026, 10, 5, 23, 30, tzinfo=UTC),
    )


@given(
    code=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20),
    text=st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
)
def test_what_is_written_reads_back_the_same(code: str, text: str) -> None:
    one = approved(code, text)
    written = tomllib.loads(codes_as_toml([one]))["codes"][0]
    assert (written["code"], written.get("text", "")) == (code, text)
    assert written["approved_by"] == ["p.one", "m.two"]


def test_the_file_of_a_trust_takes_it() -> None:
    faults: list[str] = []
    (read,) = read_codes(Fields(tomllib.loads(codes_as_toml([approved("PFX9", "our own pack")])), "RBA.toml", faults))
    assert faults == []
    assert replace(read, valid_from=None) == replace(approved("PFX9", "our own pack").entry, version="")
    assert str(read.valid_from) == "2026-10-06"
