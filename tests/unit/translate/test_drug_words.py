"""Do the words sent with a code name the medicine of the code? Many spellings that do, and those that do not."""

import pytest

from gateway.config.medicine_names import medicine_names
from gateway.config.reference import load_reference
from gateway.domain.medicine_names import ingredients_of, leading_name
from gateway.domain.prescription import ProductLevel
from gateway.domain.reference import ProductRow
from gateway.translate.drug_words import names_another

REFERENCE = load_reference()
PRODUCTS = tuple(REFERENCE.products.values())


def _product(display: str) -> ProductRow:
    return next(row for row in PRODUCTS if row.display.startswith(display) and row.level is not ProductLevel.VTM)


HUMIRA = _product("Humira 40mg/0.4ml solution for injection pre-filled pens")
ADALIMUMAB = _product("Adalimumab 40mg/0.8ml solution for injection pre-filled syringes")
METHOTREXATE = _product("Methotrexate 2.5mg")
TRUVADA = _product("Emtricitabine 200mg / Tenofovir 245mg")
ABACAVIR = _product("Abacavir 600mg")
PLEGRIDY = _product("Plegridy")
BIKTARVY = next(row for row in PRODUCTS if row.display.startswith("Bictegravir"))
CO_CODAMOL = _product("Co-codamol")

_SAME = [
    (HUMIRA, "Humira 40mg/0.4ml inj"),
    (HUMIRA, "HUMIRA PEN 40 MG/0.4 ML"),
    (HUMIRA, "Humira® 40mg pre-filled pen (AbbVie)"),
    (HUMIRA, "HUMIRA40MG PEN"),
    (HUMIRA, "adalimumab (Humira) 40 mg"),
    (HUMIRA, "Humira (adalimumab) pen - citrate free"),
    (HUMIRA, "ADALIMUMAB 40mg/0.4ml solution for injection"),
    (HUMIRA, "Adalimumab inj, switched from Imraldi to Humira"),
    (HUMIRA, "Adalimumab pen with alcohol swabs and methotrexate diary"),
    (HUMIRA, "TNF inhibitor pen"),
    (HUMIRA, "Pen 40mg/0.4ml"),
    (HUMIRA, "Adalimumb 40mg"),
    (HUMIRA, "???"),
    (HUMIRA, "40"),
    (ADALIMUMAB, "Humira 40mg/0.8ml"),
    (ADALIMUMAB, "Yuflyma or Imraldi 40mg/0.8ml"),
    (ADALIMUMAB, "adalimumab biosimilar"),
    (METHOTREXATE, "METHOTREXATE SODIUM 2.5mg tabs"),
    (METHOTREXATE, "2.5mg tablets of methotrexate"),
    (METHOTREXATE, "Methotrexate/folic acid counselling given"),
    (TRUVADA, "Emtricitabine/Tenofovir disoproxil 200mg/245mg"),
    (TRUVADA, "Tenofovir disoproxil 245mg + Emtricitabine 200mg tablets"),
    (TRUVADA, "Tenofovir disoproxil fumarate/emtric 245/200"),
    (TRUVADA, "Emtricitabine 200mg / Tenofovir 245mg tablets"),
    (TRUVADA, "Emtricitabine and tenofovir tablets"),
    (TRUVADA, "Truvada"),
    (BIKTARVY, "Emtricitabine/tenofovir alafenamide/bic"),
    (ABACAVIR, "Abacavir + Lamivudine 600mg/300mg"),
    (ABACAVIR, "Lamivudine with abacavir"),
    (ABACAVIR, "Kivexa"),
    (PLEGRIDY, "Plegridy 125 micrograms peginterferon beta-1a"),
    (PLEGRIDY, "Plegridy (pegylated interferon beta 1a)"),
    (PLEGRIDY, "peginterferon beta 1A"),
    (CO_CODAMOL, "CO-CODAMOL 30/500 tabs"),
    (CO_CODAMOL, "Codeine phosphate 30mg / Paracetamol 500mg"),
    (_product("Morphine"), "Morphine sulphate MR"),
    (_product("Glatiramer"), "Glatiramer acetate"),
    (_product("Extavia"), "Interferon beta-1b 250 mcg"),
    (_product("Orencia ClickJect"), "Orencia 125mg/ml pen"),
    (_product("Metoject PEN"), "Metoject 15mg"),
    (_product("Kesimpta"), "Kesimpta Sensoready pen 20mg ofatumumab"),
    (_product("Factor VIII"), "Humira"),  # its ingredients are not in the table
]

_OTHER = [
    (HUMIRA, "Etanercept 40mg"),
    (HUMIRA, "ENBREL 50mg MyClic pen"),
    (HUMIRA, "Amgevita 40mg pen"),
    (HUMIRA, "Adalimumab (Amgevita) 40mg"),
    (HUMIRA, "methotrexate"),
    (ADALIMUMAB, "Benepali 50mg/1ml"),
    (ADALIMUMAB, "Certolizumab pegol"),
    (METHOTREXATE, "Metformin 500mg tablets"),
    (METHOTREXATE, "Mycophenolate mofetil"),
    (METHOTREXATE, "etanercept and adalimumab"),
    (TRUVADA, "Emtricitabine / Tenofovir alafenamide"),
    (TRUVADA, "Abacavir + Lamivudine"),
    (BIKTARVY, "Emtricitabine 200mg / Tenofovir alafenamide 25mg"),
    (ABACAVIR, "Emtricitabine + Tenofovir disoproxil"),
    (PLEGRIDY, "Avonex"),
    (PLEGRIDY, "Interferon beta-1b"),
    (CO_CODAMOL, "Paracetamol 500mg tablets"),
    (_product("Prolia"), "Xgeva 120mg"),
    (_product("Xgeva"), "Denosumab (Prolia)"),
    (_product("Paracetamol"), "Co-codamol 30/500"),
    (_product("Epoetin alfa"), "Epoetin beta"),
    (_product("Agalsidase alfa"), "Agalsidase beta"),
    (_product("Lumacaftor"), "Ivacaftor 150mg"),
    (_product("Advagraf"), "Adoport 1mg"),
]


@pytest.mark.parametrize(("row", "words"), _SAME, ids=lambda value: getattr(value, "display", value))
def test_other_words_for_the_same_medicine_are_not_held(row: ProductRow, words: str) -> None:
    assert not names_another(REFERENCE.names, words, row)


@pytest.mark.parametrize(("row", "words"), _OTHER, ids=lambda value: getattr(value, "display", value))
def test_words_for_another_medicine_are_held(row: ProductRow, words: str) -> None:
    assert names_another(REFERENCE.names, words, row)
    assert names_another(REFERENCE.names, words.upper(), row)


def test_every_official_name_agrees_with_every_product_of_its_own_ingredients() -> None:
    for row in PRODUCTS:
        for other in PRODUCTS:
            if row.ingredient == other.ingredient and not (row.brand and other.brand):
                assert not names_another(REFERENCE.names, other.display, row), (row.display, other.display)


def test_every_official_name_contradicts_the_products_of_other_ingredients() -> None:
    known = {row.ingredient: row for row in PRODUCTS if row.ingredient}
    leads = {leading_name(row.display): row for row in PRODUCTS if row.ingredient}
    missed = {
        (lead, row.display)
        for lead, named in leads.items()
        for row in known.values()
        if named.ingredient != row.ingredient and not names_another(REFERENCE.names, named.display, row)
    }
    # Its official name leaves "disoproxil" out, so that it may be the beginning of either combination.
    assert {lead for lead, _ in missed} <= {"Emtricitabine"}, sorted(missed)


def test_every_product_with_a_name_has_its_ingredient() -> None:
    without = {leading_name(row.display) for row in PRODUCTS if not row.ingredient}
    assert without == {"Factor VIII", "High Purity Factor VIII"}
    for row in PRODUCTS:
        if row.brand:
            assert row.ingredient


def _names(*rows: str) -> list[dict[str, str]]:
    return [dict(zip(("name", "ingredient", "brand"), row.split("|"), strict=True)) for row in rows]


def _row(ingredient: str, brand: str = "") -> ProductRow:
    level = ProductLevel.AMP if brand else ProductLevel.VMP
    return ProductRow(code="1", level=level, display="", ingredient=ingredient, brand=brand)


_TABLE = medicine_names(
    _names(
        "Insulin aspart|Insulin aspart|no",
        "Insulin glargine|Insulin glargine|no",
        "NovoRapid FlexPen|Insulin aspart|yes",
        "NovoRapid Penfill|Insulin aspart|yes",
        "Fiasp FlexTouch|Insulin aspart|yes",
        "Canesten Oral|Fluconazole|yes",
        "Canesten|Clotrimazole|yes",
        "Mycophenolate mofetil|Mycophenolate mofetil|no",
        "Mycophenolic acid|Mycophenolic acid|no",
        "Sitagliptin|Sitagliptin|no",
        "Metformin|Metformin|no",
        "Metformin + Sitagliptin|Metformin + Sitagliptin|no",
        "Janumet|Metformin + Sitagliptin|yes",
    )
)


@pytest.mark.parametrize(
    ("row", "words", "another"),
    [
        (_row("Insulin aspart", "NovoRapid Penfill"), "NovoRapid 100units/ml", False),
        (_row("Insulin aspart", "NovoRapid Penfill"), "NovoRapid FlexPen", False),
        (_row("Insulin aspart", "NovoRapid Penfill"), "Fiasp", True),
        (_row("Insulin glargine"), "NovoRapid", True),
        (_row("Insulin glargine"), "Insulin", False),
        (_row("Fluconazole"), "Canesten capsule", True),
        (_row("Fluconazole"), "Canesten Oral capsule", False),
        (_row("Mycophenolic acid"), "Mycophenolate sodium 360mg", False),
        (_row("Mycophenolic acid"), "Mycophenolate mofetil 250mg", True),
        (_row("Metformin"), "Janumet", True),
        (_row("Metformin"), "Metformin 500mg", False),
        (_row("Metformin"), "Metformin and sitagliptin", True),
        (_row("Metformin + Sitagliptin"), "Metformin 850mg tablets", True),
        (_row("Metformin + Sitagliptin"), "Metformin 850mg/5ml solution", True),
        (_row("Metformin + Sitagliptin"), "Metformin/sita", False),
        (_row("Metformin + Sitagliptin"), "Metformin 850mg / 50mg", False),
        (_row("Metformin + Sitagliptin"), "Sitagliptin + metformin", False),
        (_row("Metformin + Sitagliptin"), "Janumet (metformin)", False),
        (_row(""), "Janumet", False),
    ],
)
def test_brands_families_and_combinations(row: ProductRow, words: str, *, another: bool) -> None:
    assert names_another(_TABLE, words, row) is another


def test_ingredients_are_compared_without_order_or_case() -> None:
    assert ingredients_of("Abacavir + Lamivudine") == ingredients_of("LAMIVUDINE + abacavir")
    assert ingredients_of("") == frozenset()
