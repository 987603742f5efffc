"""Codes that dm+d has replaced: read from the history file of a release, and followed only where that is certain."""

import shutil
from pathlib import Path

import pytest

from gateway.config.dmd.history import History, read_history
from gateway.config.reference_load import find_sources, load_release
from gateway.domain.errors import ConfigurationError
from gateway.domain.reference import Reference

GOLDEN = Path(__file__).parents[3] / "golden" / "dmd"
PEN, FORMER_PEN, TABLET, OLDER, OLDEST = (
    "990021000001104",
    "990031000001102",
    "990041000001109",
    "3485311000001105",
    "322341003",
)
UNIT, FORMER_UNIT = "990201000001100", "258684004"


def _file(*rows: tuple[str, str, str]) -> str:
    sections = {"VTM": "VTMS", "VMP": "VMPS", "ING": "INGS", "ROUTE": "ROUTES", "UOM": "UOMS"}
    written = [
        f"<{section}>"
        + "".join(
            f"<{name}><IDCURRENT>{now}</IDCURRENT><IDPREVIOUS>{former}</IDPREVIOUS><STARTDT>2004-12-20</STARTDT></{name}>"
            for kind, now, former in rows
            if kind == name
        )
        + f"</{section}>"
        for name, section in sections.items()
    ]
    return f"<HISTORY>{''.join(written)}</HISTORY>"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return shutil.copytree(GOLDEN, tmp_path / "release")


def _load(release: Path, *rows: tuple[str, str, str], name: str = "f_history1_0161126.xml") -> Reference:
    (release / name).write_text(_file(*rows), encoding="utf-8")
    return load_release(find_sources(release), release.parent / "reference")


def test_a_replaced_code_is_the_product_it_became(release: Path) -> None:
    loaded = _load(release, ("VMP", PEN, OLDER), ("VMP", PEN, OLDEST), ("VMP", PEN, PEN), ("ING", PEN, "387517004"))
    for code in (OLDER, OLDEST, FORMER_PEN):
        row, now = loaded.products[code], loaded.products[PEN]
        assert row.replaced_by == PEN
        assert (row.display, row.strength, row.schedule_known) == (now.display, now.strength, now.schedule_known)
    assert loaded.products[PEN].replaced_by == ""
    assert "387517004" not in loaded.products


@pytest.mark.parametrize("name", ["f_history2_3161126.xml", "f_history1_0_0161126.xml"])
def test_the_file_is_found_by_any_of_its_names(release: Path, name: str) -> None:
    assert OLDER in _load(release, ("VMP", PEN, OLDER), name=name).products


@pytest.mark.parametrize(
    "rows",
    [
        (("VMP", PEN, OLDER), ("VMP", TABLET, OLDER)),  # two products claim it
        (("VMP", "990071000001100", OLDER),),  # what it became is no longer valid
        (("VMP", "22298006", OLDER),),  # what it became is not in the release
        (("VTM", PEN, OLDER),),  # the product is not of this kind
    ],
)
def test_an_old_code_that_is_not_certain_is_not_known(release: Path, rows: tuple[tuple[str, str, str], ...]) -> None:
    assert OLDER not in _load(release, *rows).products


def test_a_code_that_is_in_use_stays_its_own_product(release: Path) -> None:
    row = _load(release, ("VMP", PEN, TABLET)).products[TABLET]
    assert (row.replaced_by, row.strength) == ("", "500mg")


def test_the_products_own_statement_and_the_history_must_agree(release: Path) -> None:
    assert FORMER_PEN not in _load(release, ("VMP", TABLET, FORMER_PEN)).products


def test_a_replaced_unit_is_read_as_the_unit_it_became(release: Path) -> None:
    loaded = _load(release, ("UOM", UNIT, OLDER))
    assert loaded.units[OLDER] == loaded.units[UNIT]


ROUTE, OTHER_ROUTE = "34206005", "26643006"


def test_a_replaced_route_is_read_as_the_route_it_became(release: Path) -> None:
    loaded = _load(release, ("ROUTE", ROUTE, OLDER), ("ROUTE", ROUTE, ROUTE), ("ROUTE", OTHER_ROUTE, "28"))
    assert loaded.routes[OLDER].display == loaded.routes[ROUTE].display
    assert loaded.routes[OLDER].code == OLDER
    assert "28" not in loaded.routes


@pytest.mark.parametrize(
    "rows",
    [
        (("ROUTE", ROUTE, OLDER), ("ROUTE", OTHER_ROUTE, OLDER)),  # two routes claim it
        (("ROUTE", "22298006", OLDER),),  # what it became is not a route of the release
        (("UOM", UNIT, OLDER),),  # it was a unit
    ],
)
def test_an_old_route_that_is_not_certain_is_not_known(release: Path, rows: tuple[tuple[str, str, str], ...]) -> None:
    assert OLDER not in _load(release, *rows).routes


def test_a_route_in_use_stays_its_own(release: Path) -> None:
    loaded = _load(release, ("ROUTE", ROUTE, OTHER_ROUTE))
    assert loaded.routes[OTHER_ROUTE].display != loaded.routes[ROUTE].display


@pytest.mark.parametrize(
    ("now", "former"), [("", OLDER), (PEN, ""), (PEN, "990999000001101"), ("1", OLDER), (PEN, "x")]
)
def test_a_row_without_two_identifiers_is_refused(tmp_path: Path, now: str, former: str) -> None:
    path = tmp_path / "f_history1_0161126.xml"
    path.write_text(_file(("VMP", now, former)), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="IDCURRENT"):
        read_history(path)


def test_a_history_of_another_date_or_a_second_one_is_refused(release: Path) -> None:
    with pytest.raises(ConfigurationError, match="different releases"):
        _load(release, name="f_history1_0231126.xml")
    with pytest.raises(ConfigurationError, match="at most one"):
        _load(release, name="f_history1_0161126.xml")
    with pytest.raises(ConfigurationError, match="ddmmyy"):
        _load(release, name="f_history.xml")


def test_without_the_file_nothing_is_replaced_by_it() -> None:
    assert read_history(None) == History()
    assert find_sources(GOLDEN).history is None
