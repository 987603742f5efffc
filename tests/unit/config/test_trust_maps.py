"""A trust's own codes and segments, as its file says them: approved by two, for a time, and checked."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.config.reference import load_reference
from gateway.config.trust_maps import code_faults
from gateway.domain.coding import SNOMED, Coding
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import CodeEntry, Trust, ZField
from gateway.domain.submission import Submission, WireFormat
from gateway.translate.context import ReadingContext
from gateway.translate.from_hl7v2 import message
from tests.hl7v2_orders import edited, golden

RBA = OdsCode("RBA")
TWO = 'approved_by = ["Example Approver One", "Example Approver Two"]\n'
Added = Callable[[str], Path]


@pytest.fixture
def added(tmp_path: Path) -> Added:
    """Give a configuration folder with more in the file of trust RBA."""

    def add(text: str) -> Path:
        source = Path(str(files("gateway.config").joinpath("demonstration")))
        folder = Path(shutil.copytree(source, tmp_path / "config", dirs_exist_ok=True))
        file = folder / "trusts" / "RBA.toml"
        file.write_text(f"{file.read_text(encoding='utf-8')}\n{text}", encoding="utf-8")
        return folder

    return add


def _z(field: str, target: str, more: str = TWO) -> str:
    return f'[[z_fields]]\nfield = "{field}"\ntarget = "{target}"\n{more}'


def _code(kind: str, code: str, target: str, display: str, more: str = TWO, *, system: str = SNOMED) -> str:
    to = f'target = {{ system = "{system}", code = "{target}", display = "{display}" }}'
    return f'[[codes]]\nkind = "{kind}"\ncode = "{code}"\n{to}\n{more}'


def _faults(folder: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    return caught.value.faults


def _trust(folder: Path) -> Trust:
    return load(folder).trusts[RBA]


def test_a_map_of_segments_is_read_with_its_days_and_approvers(added: Added) -> None:
    days = f"{TWO}valid_from = 2026-04-01\nvalid_to = 2027-03-31\n"
    folder = added(_z("ZPO-3", "homecare.purchase_order", days) + _z("ZPO-4", "homecare.tier"))
    both = ("Example Approver One", "Example Approver Two")
    first, second = _trust(folder).z_fields
    assert first == ZField(
        segment="ZPO",
        number=3,
        target="homecare.purchase_order",
        approved_by=both,
        valid_from=date(2026, 4, 1),
        valid_to=date(2027, 3, 31),
    )
    assert second.place == "ZPO-4"


def test_a_message_is_read_by_the_map_of_a_real_configuration_file(added: Added) -> None:
    folder = added(_z("ZPO-3", "homecare.purchase_order"))
    configuration = load(folder)
    context = ReadingContext(
        trust=configuration.trusts[RBA].on(date(2026, 10, 5)),
        reference=load_reference(),
        environment=configuration.environment,
        receiver_names=configuration.receiver_names,
    )
    text = edited(golden("S01"), {"ZHC-7": "", "+ZPO": "ZPO|||PO-OURS-1"})
    body = text.replace("\n", "\r").encode()
    received = datetime(2026, 10, 5, 8, 15, tzinfo=UTC)
    submission = Submission(tenant=RBA, format=WireFormat.HL7V2, body=body, received_at=received)
    (order,) = message.read(submission, context).orders
    assert order.prescription is not None
    assert order.prescription.homecare.purchase_order == "PO-OURS-1"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (_z("ZPO-3", "homecare.colour"), "z_fields[0]: target: is not one of"),
        (_z("PV1-3", "homecare.tier"), "z_fields[0]: field: 'PV1-3' is not a field of a Z-segment"),
        (_z("ZPO", "homecare.tier"), "z_fields[0]: field: 'ZPO' is not a field"),
        (_z("ZPO-0", "homecare.tier"), "z_fields[0]: field: 'ZPO-0' is not a field"),
        (_z("ZPO-3", "homecare.tier", ""), "z_fields[0]: approved_by: needs two different people"),
        (
            _z("ZPO-3", "homecare.tier", 'approved_by = ["A Person", " a  person"]\n'),
            "z_fields[0]: approved_by: needs two different people",
        ),
        (
            _z("ZPO-3", "homecare.tier", f"{TWO}valid_from = 2026-02-01\nvalid_to = 2026-01-31\n"),
            "z_fields[0]: valid_to: is before valid_from",
        ),
        (_z("ZPO-3", "homecare.tier", f"{TWO}colour = 1\n"), "z_fields[0]: colour: is not a setting"),
        (_z("ZPO-3", "homecare.tier") + _z("ZPO-4", "homecare.tier"), "names a second place for homecare.tier"),
        (
            _z("ZPO-3", "homecare.delivery.total") + _z("ZPO-4", "lines.total_supplies"),
            "names a second place for homecare.delivery.total",
        ),
        (_z("ZPO-3", "homecare.tier") + _z("ZPO-3", "homecare.funding"), "ZPO-3 is also the place of z_fields[0]"),
        (
            _z("ZPO-3", "homecare.tier", f"{TWO}valid_to = 2026-06-30\n")
            + _z("ZPO-4", "homecare.tier", f"{TWO}valid_from = 2026-06-30\n"),
            "names a second place for homecare.tier",
        ),
        (_code("unit", "mcg", "mg", "milligram", system="http://unitsofmeasure.org"), "code: names another unit"),
        (_code("unit", "T1", "mg", "milligram", f'text = "micrograms"\n{TWO}'), "text: names another unit"),
        (
            _code("unit", "T1", "428673006", "tablet") + _code("unit", "T1", "732936001", "Tablet"),
            "codes[3]: leads elsewhere than codes[2]",
        ),
        (_code("unit", "T1", "428673006", "tablet", 'approved_by = ["One", "ONE"]\n'), "approved_by: needs two"),
    ],
)
def test_a_map_that_cannot_be_followed_in_one_way_is_refused(added: Added, text: str, fault: str) -> None:
    faults = _faults(added(text))
    assert any(fault in line and line.startswith("trusts/RBA.toml: ") for line in faults), faults


def test_a_fact_may_move_from_one_day_to_the_next(added: Added) -> None:
    before, after = f"{TWO}valid_to = 2026-06-30\n", f"{TWO}valid_from = 2026-07-01\n"
    trust = _trust(added(_z("ZPO-3", "homecare.tier", before) + _z("ZPO-4", "homecare.tier", after)))
    assert [field.place for field in trust.on(date(2026, 6, 30)).z_fields] == ["ZPO-3"]
    assert [field.place for field in trust.on(date(2026, 7, 1)).z_fields] == ["ZPO-4"]


def test_a_code_may_lead_elsewhere_from_a_day_on(added: Added) -> None:
    old = _code("unit", "T1", "428673006", "tablet", f"{TWO}valid_to = 2026-06-30\n")
    new = _code("unit", "T1", "732936001", "Tablet", f"{TWO}valid_from = 2026-07-01\n")
    trust = _trust(added(old + new))
    for day, code in ((date(2026, 6, 30), "428673006"), (date(2026, 7, 1), "732936001")):
        entry = trust.on(day).entry("unit", "T1")
        assert entry is not None
        assert entry.target.code == code


@pytest.mark.parametrize("field", ["PV1-5", "7", "ORC-12"])
def test_the_consultant_stands_in_a_field_of_pv1_that_names_people(added: Added, field: str) -> None:
    folder = added("")
    file = folder / "trusts" / "RZA.toml"
    file.write_text(f'{file.read_text(encoding="utf-8")}consultant_field = "{field}"\n', encoding="utf-8")
    assert any("consultant_field: is not one of PV1-7, PV1-8, PV1-9" in line for line in _faults(folder))


METHOTREXATE = "15517911000001104"


@pytest.mark.parametrize(
    ("code", "words", "fault"),
    [
        (METHOTREXATE, "Methotrexate 10mg/0.2ml PFS", ""),
        (METHOTREXATE, "Methotrexate PFS", ""),
        (METHOTREXATE, "Metformin 10mg/0.2ml PFS", "its words name another medicine than release"),
        (METHOTREXATE, "Methotrexate 25mg/0.5ml PFS", "its words name another strength than release"),
        ("999999011000001101", "Methotrexate 10mg", "its target 999999011000001101 is not in release"),
    ],
)
def test_a_drug_map_is_compared_with_the_release_in_force(code: str, words: str, fault: str) -> None:
    entry = CodeEntry(kind="drug", code="MTX", text=words, target=Coding(system=SNOMED, code=code, display="-"))
    trust = replace(load(None).trusts[RBA], codes=(entry,))
    found = list(code_faults([trust], load_reference()))
    assert len(found) == bool(fault)
    assert not fault or (fault in found[0] and found[0].startswith("RBA: drug code MTX: "))
