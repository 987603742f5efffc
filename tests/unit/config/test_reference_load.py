"""A dm+d release becomes the gateway's tables, whole or not at all. Every product here is invented."""

import shutil
import tracemalloc
from pathlib import Path

import pytest

from gateway.config.dmd.naming import Naming
from gateway.config.reference import CURRENT, current_release, load_reference, read_release, reference_in_force
from gateway.config.reference_load import find_sources, load_release
from gateway.domain.coding import SNOMED, UCUM
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import SnomedCode
from gateway.domain.partner import Environment
from gateway.domain.prescription import ControlledSchedule, ProductLevel
from gateway.domain.reference import Reference
from gateway.translate.drug_words import names_another

GOLDEN = Path(__file__).parents[2] / "golden" / "dmd"
VMP_FILE = "f_vmp2_3161126.xml"
PEN, FORMER_PEN, TABLET, OPIOID, NO_CATEGORY, INVALID_VMP, ANABOLIC = (
    "990021000001104",
    "990031000001102",
    "990041000001109",
    "990051000001107",
    "990061000001105",
    "990071000001100",
    "990081000001103",
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return load_release(find_sources(GOLDEN), tmp_path_factory.mktemp("reference"))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Give a copy of the release that a test may break."""
    return shutil.copytree(GOLDEN, tmp_path / "release")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def load(release: Path) -> Reference:
    return load_release(find_sources(release), release.parent / "reference")


def test_the_release_is_named_by_its_date(loaded: Reference) -> None:
    assert loaded.release == "dmd-2026-11-16"


@pytest.mark.parametrize(
    ("code", "level", "strength"),
    [
        ("990011000001108", ProductLevel.VTM, ""),
        (PEN, ProductLevel.VMP, "40mg/0.8ml"),
        (TABLET, ProductLevel.VMP, "500mg"),
        (OPIOID, ProductLevel.VMP, "10mg/5ml"),
        ("990121000001100", ProductLevel.VMPP, "500mg"),
        ("990131000001103", ProductLevel.AMP, "40mg/0.8ml"),
        ("990161000001106", ProductLevel.AMPP, "40mg/0.8ml"),
    ],
)
def test_every_level_is_read(loaded: Reference, code: str, level: ProductLevel, strength: str) -> None:
    row = loaded.products[code]
    assert (row.code, row.level, row.strength) == (code, level, strength)


def test_a_brand_is_shown_with_its_supplier(loaded: Reference) -> None:
    assert loaded.products["990131000001103"].display.endswith("pens (Fictional Pharma Ltd)")


@pytest.mark.parametrize("code", [INVALID_VMP, "990141000001105", "990181000001104", "990999000001100", "", "x", "0"])
def test_an_invalid_or_absent_concept_is_not_known(loaded: Reference, code: str) -> None:
    assert code not in loaded.products


def test_a_code_is_only_found_as_it_is_written(loaded: Reference) -> None:
    for other in (f"0{PEN}", f" {PEN}", f"{PEN}0", PEN.replace("9", "٩")):
        assert other not in loaded.products


@pytest.mark.parametrize(
    ("code", "schedule", "known"),
    [
        (TABLET, None, True),
        (OPIOID, ControlledSchedule.CD2, True),
        ("990151000001108", ControlledSchedule.CD2, True),  # the brand of it
        (ANABOLIC, ControlledSchedule.CD4, True),
        (NO_CATEGORY, None, False),
    ],
)
def test_the_schedule_is_the_releases_or_unknown(
    loaded: Reference, code: str, schedule: ControlledSchedule | None, *, known: bool
) -> None:
    row = loaded.products[code]
    assert (row.schedule, row.schedule_known) == (schedule, known)


@pytest.mark.parametrize("words", ["Schedule 6 (New)", "Schedule 10 (New)", "Schedule2", "CD"])
def test_a_category_in_unknown_words_is_an_unknown_schedule(release: Path, words: str) -> None:
    change(release / "f_lookup2_3161126.xml", "Schedule 2 (CD)", words)
    assert not load(release).products[OPIOID].schedule_known


def test_a_renumbered_category_is_read_by_its_words(release: Path) -> None:
    change(release / "f_lookup2_3161126.xml", "Schedule 2 (CD)", "Schedule 5 (CD Inv)")
    assert load(release).products[OPIOID].schedule is ControlledSchedule.CD5


@pytest.mark.parametrize(
    ("status", "brand"),
    [("0001", False), ("0002", False), ("0008", False), ("0005", True), ("0006", True), ("0099", True)],
)
def test_the_prescribing_status_asks_for_the_brand(release: Path, status: str, *, brand: bool) -> None:
    change(release / VMP_FILE, "<PRES_STATCD>0003<", f"<PRES_STATCD>{status}<")
    assert load(release).products[PEN].biologic is brand


def test_what_is_known_to_be_a_biologic_stays_one_whatever_its_status(release: Path) -> None:
    change(release / VMP_FILE, "<PRES_STATCD>0003<", "<PRES_STATCD>0001<")
    change(release / VMP_FILE, "<VTMID>990011000001108<", "<VTMID>398728003<")  # adalimumab
    assert load(release).products[PEN].biologic


def test_a_former_code_stands_for_its_successor(loaded: Reference) -> None:
    former, now = loaded.products[FORMER_PEN], loaded.products[PEN]
    assert former.replaced_by == PEN
    assert (former.level, former.display, former.schedule_known) == (now.level, now.display, now.schedule_known)


def test_a_former_code_that_two_concepts_claim_is_not_known(release: Path) -> None:
    change(
        release / VMP_FILE,
        f"<VPID>{TABLET}</VPID>\n      <NM>",
        f"<VPID>{TABLET}</VPID><VPIDPREV>{FORMER_PEN}</VPIDPREV><NM>",
    )
    assert FORMER_PEN not in load(release).products


def test_a_former_code_that_is_in_use_stays_its_own_concept(release: Path) -> None:
    change(release / VMP_FILE, FORMER_PEN, TABLET)
    row = load(release).products[TABLET]
    assert (row.replaced_by, row.strength) == ("", "500mg")


def test_units_keep_our_written_form_and_follow_former_codes(loaded: Reference) -> None:
    assert (loaded.units["258684004"].system, loaded.units["258684004"].code) == (UCUM, "mg")
    assert loaded.units["990201000001100"].display == "inventile"
    assert loaded.units["990211000001103"] == loaded.units["990201000001100"]
    assert loaded.units["990201000001100"].system == SNOMED
    assert "3314211000001106" not in loaded.units  # "no value"


def test_only_a_discrete_product_is_counted_in_units_and_no_pack_is(loaded: Reference) -> None:
    tablet = loaded.products[TABLET].unit
    assert tablet is not None
    assert tablet.code == "428673006"
    assert loaded.products[OPIOID].unit is None
    assert loaded.products["990121000001100"].unit is None


def test_routes_are_the_releases_and_letters_follow_them(loaded: Reference) -> None:
    assert set(loaded.routes) == {"26643006", "34206005"}
    assert set(loaded.route_letters) == {"PO", "SC"}


def test_dangerous_words_stay_unread(loaded: Reference) -> None:
    assert loaded.unit_words == load_reference().unit_words


def test_organisations_are_read_with_their_trust_and_dates(loaded: Reference) -> None:
    assert loaded.organisations["RZZ01"].parent == "RZZ"
    assert loaded.organisations["RZY"].closed is not None


FAULTS = [
    (VMP_FILE, "</VIRTUAL_MED_PRODUCTS>", "", "ends early"),
    (VMP_FILE, "<VIRTUAL_MED_PRODUCTS ", "<!DOCTYPE a><VIRTUAL_MED_PRODUCTS ", "DOCTYPE"),
    (VMP_FILE, f"<VPID>{TABLET}</VPID>\n      <NM>", "<VPID>123</VPID>\n      <NM>", "not a SNOMED CT identifier"),
    (VMP_FILE, "<STRNT_NMRTR_VAL>50.0<", "<STRNT_NMRTR_VAL>fifty<", "is not a number"),
    (VMP_FILE, "<STRNT_NMRTR_VAL>50.0<", "<STRNT_NMRTR_VAL>NaN<", "is not a number"),
    (VMP_FILE, "<UNIT_DOSE_UOMCD>428673006<", "<UNIT_DOSE_UOMCD>732936001<", "not in the lookup file"),
    (
        VMP_FILE,
        f"<VPID>{ANABOLIC}</VPID>\n      <CATCD>",
        f"<VPID>{OPIOID}</VPID>\n      <CATCD>",
        "two controlled-drug",
    ),
    (
        VMP_FILE,
        f"<VPID>{INVALID_VMP}</VPID>\n      <INVALID>",
        f"<VPID>{TABLET}</VPID>\n      <INVALID>",
        "stands twice",
    ),
    ("f_ingredient2_3161126.xml", "990101000001107", "990191000001102", "ISID 990101000001107, which is not"),
    ("f_amp2_3161126.xml", f"<VPID>{OPIOID}<", "<VPID>990191000001102<", "not in the release"),
    ("f_amp2_3161126.xml", "990151000001108", "990131000001103", "stands twice"),
    ("f_ampp2_3161126.xml", "<APID>990131000001103<", "<APID>x<", "not in the release"),
    ("f_ampp2_3161126.xml", "990161000001106", "990131000001103", "stands twice"),
    ("f_vmpp2_3161126.xml", "<NM>Fictol 500mg tablets 28 tablet</NM>", "", "has no name"),
    ("f_lookup2_3161126.xml", "<ROUTE>", "<ROUTES>", "not well-formed"),
    ("f_vtm2_3161126.xml", "VIRTUAL_THERAPEUTIC_MOIETIES", "SOMETHING", "the root is not"),
    ("etr.csv", "20240331", "31/03/2024", "not YYYYMMDD"),
    ("ets.csv", "RZZ01", "RZZ", "stands in two lists"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_any_file_leaves_everything_as_it_was(
    tmp_path: Path, release: Path, fault: tuple[str, str, str, str]
) -> None:
    name, old, new, told = fault
    before = load(release).release
    names = {path.name for path in (tmp_path / "reference").iterdir()}
    change(release / name, old, new)
    with pytest.raises(ConfigurationError, match=told):
        load(release)
    assert {path.name for path in (tmp_path / "reference").iterdir()} == names
    assert read_release(current_release(tmp_path / "reference")).release == before


def test_files_must_be_complete_and_of_one_release(release: Path) -> None:
    (release / "f_vtm2_3161126.xml").unlink()
    (release / "f_amp2_3161126.xml").rename(release / "f_amp2_3091126.xml")
    (release / "f_ampp2_3161126.xml").rename(release / "f_ampp2_3991126.xml")
    with pytest.raises(ConfigurationError) as caught:
        find_sources(release)
    told = "\n".join(caught.value.faults)
    assert "0 files f_vtm2_*.xml" in told
    assert "different releases: 2026-11-09, 2026-11-16" in told
    assert "f_ampp2_3991126.xml: the name does not end" in told


def test_loading_again_changes_nothing_and_a_newer_release_keeps_the_older(tmp_path: Path, release: Path) -> None:
    load(release)
    first = current_release(tmp_path / "reference")
    load(release)
    assert current_release(tmp_path / "reference") == first
    change(release / "f_vtm2_3161126.xml", "Inventamab", "Renamed")
    load(release)
    assert current_release(tmp_path / "reference") != first
    assert read_release(first).products["990011000001108"].display == "Inventamab"
    assert not list((tmp_path / "reference").glob(".*"))


def test_without_a_release_the_packaged_tables_serve_tests_and_never_patients(tmp_path: Path) -> None:
    assert reference_in_force(tmp_path, Environment.TEST) is load_reference()
    with pytest.raises(ConfigurationError, match="no dm\\+d release is loaded"):
        reference_in_force(tmp_path, Environment.LIVE)


def test_a_loaded_release_serves_patients(tmp_path: Path, release: Path) -> None:
    load(release)
    assert reference_in_force(tmp_path / "reference", Environment.LIVE).release == "dmd-2026-11-16"


def test_a_table_that_was_changed_is_refused(tmp_path: Path, release: Path) -> None:
    load(release)
    change(current_release(tmp_path / "reference") / "medicines.csv", ",CD2,", ",none,")
    with pytest.raises(ConfigurationError, match=r"medicines\.csv: is not the table that was loaded"):
        reference_in_force(tmp_path / "reference", Environment.TEST)


@pytest.mark.parametrize("name", ["", "gone", "../reference"])
def test_a_current_release_that_is_not_there_is_refused(tmp_path: Path, release: Path, name: str) -> None:
    load(release)
    (tmp_path / "reference" / CURRENT).write_text(name, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is not there"):
        reference_in_force(tmp_path / "reference", Environment.TEST)


def _identifiers(count: int) -> list[str]:
    bodies = (f"{number}100000110" for number in range(1_000_000, 1_000_000 + count))
    return [next(code for digit in range(10) if SnomedCode.parse(code := f"{body}{digit}")) for body in bodies]


@pytest.mark.slow
def test_twenty_thousand_brands_are_loaded_and_read_in_little_memory(release: Path) -> None:
    codes = _identifiers(20_000)
    name = "x" * 150
    brands = "".join(f"<AMP><APID>{code}</APID><VPID>{TABLET}</VPID><NM>{name}</NM></AMP>\n" for code in codes)
    change(release / "f_amp2_3161126.xml", "</AMPS>", f"{brands}</AMPS>")
    sources = find_sources(release)
    tracemalloc.start()
    try:
        loaded = load_release(sources, release.parent / "reference")
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert loaded.products[codes[-1]].strength == "500mg"
    assert peak < 8_000_000  # the brands' file alone has 5 million characters, and as objects 20 million bytes
    assert held < 2_000_000


def test_a_product_bears_its_substance_and_its_brand(loaded: Reference) -> None:
    rows = {code: loaded.products[code] for code in (PEN, FORMER_PEN, "990131000001103", "990161000001106")}
    assert {row.ingredient for row in rows.values()} == {"Inventamab"}
    assert [row.brand for row in rows.values()] == ["", "", "Invexa", "Invexa"]
    assert loaded.products[TABLET].ingredient == ""
    assert loaded.products["990011000001108"].ingredient == "Inventamab"


@pytest.mark.parametrize(
    ("words", "another"),
    [("Inventamab pen", False), ("INVEXA 40mg", False), ("Oldol 5mg", False), ("Invexa (inventamab)", False)],
)
def test_the_names_of_a_release_are_known(loaded: Reference, words: str, *, another: bool) -> None:
    assert names_another(loaded.names, words, loaded.products["990131000001103"]) is another
    assert loaded.names.together == {frozenset({"inventamab"})}


def test_a_supplier_that_sells_under_the_generic_name_has_no_brand() -> None:
    naming = Naming()
    generic, substance = "Fictol", "Fictol"
    assert naming.brand(ProductLevel.AMP, "Fictol 500mg tablets", generic, substance) == ""
    assert naming.brand(ProductLevel.AMP, "Fictol Extra 500mg tablets", generic, substance) == ""
    assert naming.brand(ProductLevel.AMPP, "Fixo 500mg tablets (Any Ltd) 28 tablet", generic, substance) == "Fixo"
    assert naming.brand(ProductLevel.AMP, "Soothing cream (Any Ltd)", generic, substance) == "Soothing cream"
    assert naming.brand(ProductLevel.VMP, "Co-fictol 8mg/500mg tablets", "Co-fictol", "Anabofict + Fictol") == ""
    named = {(row["name"], row["ingredient"], row["brand"]) for row in naming.rows()}
    assert named == {
        ("Fictol", "Fictol", "no"),
        ("Fixo", "Fictol", "yes"),
        ("Soothing cream", "Fictol", "yes"),
        ("Anabofict + Fictol", "Anabofict + Fictol", "no"),
        ("Co-fictol", "Anabofict + Fictol", "no"),
    }
