"""Makes the gateway's product rows from the files of a dm+d release.

What a product may be is never guessed. No row in the list of controlled drugs, or a category whose words are not
understood, is an unknown schedule: the schema has no default, and releases state `0000` for what is not controlled.
Invalid concepts are left out. A former code stands for its successor only where dm+d itself records it as the former
identifier of the same concept, of one concept only, and the code is no other valid concept's own.

Source: NHSBSA dm+d XML schemas v2.3; mapping.md 5; brief D14.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from gateway.config.dmd.history import Claims, History
from gateway.config.dmd.lookups import NOT_UNITS, Lookups
from gateway.config.dmd.naming import Naming
from gateway.config.dmd.strength import Ingredient, Measure, strength
from gateway.config.dmd.xml_rows import AMP, AMPP, INGREDIENT, VMP, VMPP, VTM, FileKind, Row, rows
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import SnomedCode
from gateway.domain.medicine_names import leading_name
from gateway.domain.prescription import ProductLevel

PRESCRIBED_BY_NAME: Final = frozenset({"0001", "0002", "0008"})
"""Prescribing status of a VMP that does not ask for the brand: valid; not in primary care; no published specification.

The others are: only AMP prescribable, never valid as a VMP, not recommended as a VMP, brands not bioequivalent,
patient training. A status that a later release adds is taken to ask for the brand.
"""
UNKNOWN: Final = "unknown"
_DISCRETE: Final = "1"
_KEPT: Final = (
    "NM",
    "VTMID",
    "VPIDPREV",
    "INVALID",
    "PRES_STATCD",
    "DF_INDCD",
    "UDFS",
    "UDFS_UOMCD",
    "UNIT_DOSE_UOMCD",
)

ProductLine = dict[str, str]
"""A row of `medicines.csv`, by column."""
Put = Callable[[ProductLine], None]


@dataclass(slots=True)
class _Vmp:
    """What packs and brands inherit from a VMP; small, for all of them are kept while the release is read."""

    row: Row | None
    ingredients: list[Ingredient | None] = field(default_factory=list)
    schedule: str = ""
    unit: str = ""
    strength: str = ""
    brand_needed: bool = True
    generic: str = ""
    ingredient: str = ""


class ProductReader:
    """Reads the five files of products in their order, and puts out lines as they come.

    Args:
        lookups: the release's code lists.
        biologics: codes of substances and products that must be prescribed by brand whatever the release says.
        put: takes each line.
        history: codes that were replaced, beside those that a concept itself says it had.
    """

    def __init__(self, lookups: Lookups, biologics: AbstractSet[str], put: Put, history: History | None = None) -> None:
        self._lookups = lookups
        self._history = history or History()
        self._biologics = biologics
        self._put_line = put
        self._vmps: dict[str, _Vmp] = {}
        self._substances: set[str] = set()
        self._vtm_names: dict[str, str] = {}
        self.naming = Naming()
        self._vmp_of: dict[int, int] = {}
        """AMP to its VMP; numbers, for there are hundreds of thousands."""

    def read(self, files: Mapping[FileKind, Path]) -> None:
        """Read a release.

        Raises:
            ConfigurationError: a file is malformed, or names something that is not in the release.
        """
        self._substances = set(_each(files[INGREDIENT], INGREDIENT, "ING", "ISID"))
        self._vtms(files[VTM])
        self._read_vmps(files[VMP])
        self._put_vmps(files[VMP])
        self._children(files[VMPP], VMPP, ProductLevel.VMPP, "VPPID", "VPID")
        self._children(files[AMP], AMP, ProductLevel.AMP, "APID", "VPID")
        self._children(files[AMPP], AMPP, ProductLevel.AMPP, "APPID", "APID")

    def _vtms(self, path: Path) -> None:
        valid = {row["VTMID"]: row for row in _valid(path, VTM, "VTM", "VTMID")}
        self._vtm_names = {code: row.get("NM", "") for code, row in valid.items()}
        for code, row in valid.items():
            own = _Vmp(None, brand_needed=code in self._biologics, ingredient=self._vtm_names[code])
            self._put(path, code, row, ProductLevel.VTM, own)
        for former, code in _former(valid, "VTMIDPREV", self._history.vtms).items():
            inherited = _Vmp(None, brand_needed=code in self._biologics, ingredient=self._vtm_names[code])
            self._put(path, former, valid[code], ProductLevel.VTM, inherited, replaced_by=code)

    def _read_vmps(self, path: Path) -> None:
        for name, row in rows(path, VMP, ("VMP", "VPI", "CONTROL_INFO")):
            code = _code(path, row, "VPID")
            if name == "VMP":
                if code in self._vmps:
                    raise ConfigurationError(f"{path.name}: VPID {code} stands twice")
                self._vmps[code] = _Vmp({key: row[key] for key in _KEPT if key in row})
                continue
            vmp = self._vmps.get(code)
            if vmp is None:
                raise ConfigurationError(f"{path.name}: {name} names VPID {code}, which is not in the release")
            if name == "VPI":
                vmp.ingredients.append(self._ingredient(path, row))
            elif vmp.schedule:
                raise ConfigurationError(f"{path.name}: VPID {code} has two controlled-drug categories")
            else:
                vmp.schedule = self._lookups.schedules.get(row.get("CATCD", ""), UNKNOWN)

    def _put_vmps(self, path: Path) -> None:
        valid: dict[str, Row] = {}
        for code, vmp in self._vmps.items():
            row, vmp.row = vmp.row or {}, None
            self._describe(path, code, row, vmp)
            if row.get("INVALID") != "1":
                valid[code] = row
                self._put(path, code, row, ProductLevel.VMP, vmp)
        for former, code in _former(valid, "VPIDPREV", self._history.vmps).items():
            self._put(path, former, valid[code], ProductLevel.VMP, self._vmps[code], replaced_by=code)

    def _describe(self, path: Path, code: str, row: Row, vmp: _Vmp) -> None:
        size = self._measure(path, row, "UDFS", "UDFS_UOMCD")
        known = tuple(ingredient for ingredient in vmp.ingredients if ingredient is not None)
        if len(known) == len(vmp.ingredients):
            vmp.strength = strength(known, row.get("NM", ""), size)
        vmp.ingredients.clear()
        vmp.generic = leading_name(row.get("NM", ""))
        vmp.ingredient = self._vtm_names.get(row.get("VTMID", ""), "")
        vmp.brand_needed = row.get("PRES_STATCD") not in PRESCRIBED_BY_NAME or not self._biologics.isdisjoint(
            {
                code,
                row.get("VTMID", ""),
                row.get("VPIDPREV", ""),
            }
        )
        if row.get("DF_INDCD") == _DISCRETE and "UNIT_DOSE_UOMCD" in row:
            words = self._unit(path, row["UNIT_DOSE_UOMCD"])
            vmp.unit = "" if words in NOT_UNITS else row["UNIT_DOSE_UOMCD"]

    def _children(self, path: Path, kind: FileKind, level: ProductLevel, own: str, parent: str) -> None:
        for _, row in rows(path, kind, (level.value,)):
            code, above = _code(path, row, own), row.get(parent, "")
            vpid = above if parent == "VPID" else self._above(above)
            vmp = self._vmps.get(vpid)
            if vmp is None:
                raise ConfigurationError(f"{path.name}: {own} {code} names {parent} {above}, not in the release")
            if level is ProductLevel.AMP:
                if int(code) in self._vmp_of:
                    raise ConfigurationError(f"{path.name}: {own} {code} stands twice")
                self._vmp_of[int(code)] = int(vpid)
            if row.get("INVALID") != "1":
                self._put(path, code, row, level, vmp)

    def _above(self, amp: str) -> str:
        return str(self._vmp_of.get(int(amp), "")) if SnomedCode.parse(amp) else ""

    def _put(self, path: Path, code: str, row: Row, level: ProductLevel, vmp: _Vmp, *, replaced_by: str = "") -> None:
        display = row.get("DESC") if level is ProductLevel.AMP else None
        if not (display := display or row.get("NM")):
            raise ConfigurationError(f"{path.name}: {code} has no name")
        brand = self.naming.brand(level, row.get("NM", display), vmp.generic, vmp.ingredient)
        pack = level in {ProductLevel.VMPP, ProductLevel.AMPP}
        self._put_line(
            {
                "code": code,
                "level": level.value,
                "display": display,
                "strength": vmp.strength,
                "unit": "" if pack else vmp.unit,
                "biologic": "yes" if vmp.brand_needed else "no",
                "schedule": vmp.schedule or UNKNOWN,
                "replaced_by": replaced_by,
                "brand": brand,
                "ingredient": vmp.ingredient,
            }
        )

    def _ingredient(self, path: Path, row: Row) -> Ingredient | None:
        if row.get("ISID") not in self._substances:
            raise ConfigurationError(f"{path.name}: VPI names ISID {row.get('ISID', '')}, which is not in the release")
        of = self._measure(path, row, "STRNT_NMRTR_VAL", "STRNT_NMRTR_UOMCD")
        per = self._measure(path, row, "STRNT_DNMTR_VAL", "STRNT_DNMTR_UOMCD")
        return Ingredient(of, per) if of else None

    def _measure(self, path: Path, row: Row, number: str, unit: str) -> Measure | None:
        if number not in row or unit not in row:
            return None
        try:
            value = Decimal(row[number])
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or value < 0:
            raise ConfigurationError(f"{path.name}: {number} is not a number")
        return value, self._unit(path, row[unit])

    def _unit(self, path: Path, code: str) -> str:
        if code not in self._lookups.units:
            raise ConfigurationError(f"{path.name}: unit {code} is not in the lookup file")
        return self._lookups.units[code]


def _each(path: Path, kind: FileKind, name: str, key: str) -> Iterator[str]:
    for _, row in rows(path, kind, (name,)):
        yield _code(path, row, key)


def _valid(path: Path, kind: FileKind, name: str, key: str) -> Iterator[Row]:
    for _, row in rows(path, kind, (name,)):
        _code(path, row, key)
        if row.get("INVALID") != "1":
            yield row


def _code(path: Path, row: Row, key: str) -> str:
    code = row.get(key, "")
    if SnomedCode.parse(code) is None:
        raise ConfigurationError(f"{path.name}: {key} {code} is not a SNOMED CT identifier")
    return code


def _former(valid: Mapping[str, Row], key: str, history: Claims) -> dict[str, str]:
    """Give former code to present code, where that is certain."""
    claims = {former: set(now) for former, now in history.items()}
    for code, row in valid.items():
        if SnomedCode.parse(row.get(key, "")) is not None:
            claims.setdefault(row[key], set()).add(code)
    return {
        former: next(iter(now))
        for former, now in claims.items()
        if former not in valid and len(now) == 1 and now <= valid.keys()
    }
