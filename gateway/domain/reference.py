"""Reference data as the readers need it: products, units and routes, by code, with the release they came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.domain.coding import Coding
from gateway.domain.medicine_names import MedicineNames
from gateway.domain.prescription import ControlledSchedule, ProductLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow:
    """What is known of one dm+d concept.

    Attributes:
        biologic: must be prescribed by brand; a VMP of it is held.
        schedule: None means *known not to be controlled* only where `schedule_known` is true.
        replaced_by: the code dm+d gives now for the same concept, if this one is superseded.
    """

    code: str
    level: ProductLevel
    display: str
    unit: Coding | None = None
    strength: str = ""
    biologic: bool = False
    schedule: ControlledSchedule | None = None
    schedule_known: bool = True
    replaced_by: str = ""
    group: str = ""
    """Therapy group, for routing by scheme."""
    brand: str = ""
    ingredient: str = ""
    """As dm+d names the substance (`Emtricitabine + Tenofovir disoproxil`); empty where it names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRow:
    """What the Organisation Data Service says of one organisation.

    Attributes:
        code: ODS code.
        opened, closed: None where the list does not say.
        parent: ODS code of the organisation it belongs to; empty if there is none.
    """

    code: str
    name: str
    postcode: str = ""
    opened: date | None = None
    closed: date | None = None
    parent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The tables in force.

    Attributes:
        release: names the data, `simulation-2026-11`; recorded on every message.
        units: SNOMED CT or UCUM code to the unit as we write it.
        unit_words: exact words that are safe to read as a unit (`mg`, `tablet`); dangerous ones are absent.
        routes: SNOMED CT code to route; `route_letters`: HL7 table 0162 letters that are safe to read.
        organisations: ODS code to organisation; empty where no ODS list was loaded.
        names: what medicines are called.
        dated: day of the release; None for tables that are none.
    """

    release: str
    products: Mapping[str, ProductRow] = field(default_factory=dict)
    units: Mapping[str, Coding] = field(default_factory=dict)
    unit_words: Mapping[str, Coding] = field(default_factory=dict)
    routes: Mapping[str, Coding] = field(default_factory=dict)
    route_letters: Mapping[str, Coding] = field(default_factory=dict)
    organisations: Mapping[str, OrganisationRow] = field(default_factory=dict)
    names: MedicineNames = field(default_factory=MedicineNames)
    dated: date | None = None
