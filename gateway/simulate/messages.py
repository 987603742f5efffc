"""Turns a written prescription into the bytes a trust's system sends, from the committed templates in `golden/`.

The templates are whole messages with named gaps. Nothing here knows how the gateway reads them.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib import resources
from string import Template
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from gateway.simulate.people import broken
from gateway.simulate.written import NOT_IN_ANY_RELEASE, Flaw, Written

LONDON = ZoneInfo("Europe/London")
_VALID_DAYS = 350
_OTHER_DOSE = "33"
"""A dose that no medicine of the formulary has."""
_FORM_TABLET = "385055001"
"""The dose form *tablet*, which published examples send where the unit *tablet* belongs."""


_CHECK = re.compile(r"\|2099991\^PHARMACIST[^|\r]*\|[^|\r]*")
"""The pharmacist who checked, and when (ZHC-17 and ZHC-18)."""


class Style(StrEnum):
    """Which template: the dialects of the simulated trusts."""

    V2_ENHANCED = "order-enhanced.hl7"
    """RDE^O11, version 2.5.1, enhanced acknowledgement, UTF-8."""
    V2_ORIGINAL = "order-original.hl7"
    """RDE^O11, version 2.4, original acknowledgement, ISO 8859-1, timing in RXE-1."""
    V2_OMP = "order-omp.hl7"
    """OMP^O09, version 2.5.1, original acknowledgement."""
    XML = "order.xml"
    FHIR = "order.json"


MEDIA_TYPES: dict[Style, str] = {
    Style.V2_ENHANCED: "application/hl7-v2",
    Style.V2_ORIGINAL: "application/hl7-v2",
    Style.V2_OMP: "x-application/hl7-v2+er7",
    Style.XML: "application/xml",
    Style.FHIR: "application/fhir+json",
}
V2 = frozenset({Style.V2_ENHANCED, Style.V2_ORIGINAL, Style.V2_OMP})


@cache
def template(name: str) -> Template:
    """Give a template of `golden/` by its file name."""
    # bytes first: a text read would turn the segment ends into line feeds
    return Template(resources.files("gateway.simulate").joinpath("golden", name).read_bytes().decode())


def compose(
    written: Written, style: Style, *, system: str, site: str, names: Mapping[str, str], checked: bool = True
) -> bytes:
    """Write the message for a prescription, with its flaw in it.

    Args:
        written: what was prescribed.
        style: the dialect.
        system: the sending system's name.
        site: ODS code of the prescribing site.
        names: ODS code to name, for trusts and providers.
        checked: whether a pharmacist checked it; only HL7 v2 is written without.
    """
    values = gaps(written, style, system=system, site=site, names=names)
    text = fill(template(style.value), values, style)
    if not checked:
        text = _CHECK.sub("||", text)
    return text.encode("iso-8859-1" if style is Style.V2_ORIGINAL else "utf-8")


def gaps(written: Written, style: Style, *, system: str, site: str, names: Mapping[str, str]) -> dict[str, str]:
    """Give what may stand in the gaps of a template, by their names. Arguments as `compose`."""
    values = _common(written, system=system, site=site)
    if style in V2:
        return values | _v2(written, style, names)
    known = {
        "trust_name": names.get(written.trust, written.trust),
        "provider_name": names.get(written.provider, written.provider),
    }
    return values | known | (_xml(written) if style is Style.XML else _fhir(written))


def change_bytes(message: bytes) -> bytes:
    """Give the message with one harmless word altered: the same control id, other bytes."""
    return message.replace(b"PHARMACIST", b"PHARMACISTA").replace(b"1 Hospital Road", b"2 Hospital Road")


def short_number(site: str, prescription: uuid.UUID) -> str:
    """Make an EPS prescription number, with its ISO 7064 MOD 37-2 check character (eps.md 3.1)."""
    digits = prescription.hex.upper()
    stem = f"{digits[:6]}-{site.rjust(6, '0')[-6:]}-{digits[-5:]}"
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+"
    total = 0
    for character in stem.replace("-", ""):
        total = (total + alphabet.index(character)) * 2 % 37
    return stem + alphabet[(38 - total) % 37]


def fill(gapped: Template, values: Mapping[str, str], style: Style) -> str:
    """Fill the gaps. A value is escaped for its format unless its name ends in `_raw`, which is our own syntax."""
    safe = _ESCAPES.get(style, _escape_v2)
    return gapped.substitute(
        {name.removesuffix("_raw"): text if name.endswith("_raw") else safe(text) for name, text in values.items()}
    )


def _common(written: Written, *, system: str, site: str) -> dict[str, str]:
    medicine, patient, doctor = written.medicine, written.patient, written.prescriber
    code = NOT_IN_ANY_RELEASE if written.flaw is Flaw.DRUG_UNKNOWN else medicine.code
    return {
        "trust": written.trust,
        "system": system,
        "site": site,
        "control": str(written.message),
        "order": written.key,
        "group": written.group,
        "provider": written.provider,
        "nhs_number": broken(patient.nhs_number) if written.flaw is Flaw.NHS_NUMBER else patient.nhs_number,
        "hospital_number": patient.hospital_number,
        "prefix": patient.prefix,
        "given": patient.given,
        "family": patient.family,
        "house": patient.house,
        "town": patient.town,
        "county": patient.county,
        "postcode": patient.postcode,
        "mobile": patient.mobile,
        "gmc": doctor.gmc,
        "doctor_family": doctor.family,
        "doctor_given": doctor.given,
        "code": code,
        "display": medicine.display,
        "level": medicine.level,
        "dose": medicine.dose,
        "unit": medicine.unit,
        "ucum": medicine.ucum,
        "method_code": medicine.method_code,
        "method": medicine.method,
        "route_code": medicine.route_code,
        "route": medicine.route,
        "directions": medicine.directions,
        "quantity": medicine.quantity,
        "supply_unit": medicine.supply_unit,
        "supply_unit_code": medicine.supply_unit_code,
        "interval": medicine.interval,
        "interval_unit": medicine.interval_unit,
        "times": medicine.times,
        "period": medicine.period,
        "period_unit": medicine.period_unit,
        "days": medicine.days,
        "supplies": str(written.supplies),
        "refills": str(written.refills),
    }


def _v2(written: Written, style: Style, names: Mapping[str, str]) -> dict[str, str]:
    medicine = written.medicine
    local = style is Style.V2_ORIGINAL and medicine.supply_unit == "pre-filled disposable injection"
    again = f"{_OTHER_DOSE}^{medicine.ucum}&{medicine.unit}&UCUM" if written.flaw is Flaw.DOSE_TWICE else ""
    if again and style is Style.V2_ORIGINAL:
        again = f"{_OTHER_DOSE}&{medicine.ucum}"  # RXE-1.1 is a CQ: its components are subcomponents there
    unit = f"{medicine.supply_unit_code}^{_escape_v2(medicine.supply_unit)}^SCT"
    if written.flaw is Flaw.UNIT_LOCAL:
        unit = f"{_own_code(medicine.supply_unit)}^{_escape_v2(medicine.supply_unit)}^99LOC"
    provider = (
        f"{written.provider}^{_escape_v2(names.get(written.provider, 'Unknown'))}^ODS" if written.provider else ""
    )
    checked = written.authored - timedelta(minutes=3)
    return {
        "sex": {"female": "F", "male": "M"}[written.patient.sex],
        "born": _day(written.patient.born),
        "sent": _moment(written.authored + timedelta(minutes=4)),
        "authored": _moment(written.authored),
        "checked": _moment(checked),
        "checked_on": _day(checked.date()),
        "start": _day(written.first_needed),
        "weighed": _day(written.authored.date() - timedelta(days=10)),
        "consented": _day(written.authored.date() - timedelta(days=60)),
        "repeat": medicine.v2_repeat,
        "cold_chain": medicine.cold_chain,
        "dose_again_raw": again,
        # older systems send a bare mg, and name the code system where the word alone would not be safe
        "bare_unit_raw": "mg" if medicine.ucum == "mg" else f"{medicine.ucum}^{medicine.unit}^UCUM",
        "provider_raw": provider,
        # a unit known only to this trust, as real systems send
        "supply_unit_raw": "PFS^^99LOC"
        if local and written.trust == "RBA" and written.flaw is not Flaw.UNIT_LOCAL
        else unit,
    }


def _own_code(unit: str) -> str:
    """Make the code that a trust might have for a unit, which no configuration knows."""
    return "U" + "".join(word[0] for word in re.split("[ -]", unit)).upper()


def _xml(written: Written) -> dict[str, str]:
    level = written.medicine.level
    wrong = {"AMP": "VMP", "VMP": "AMP"}[level]
    return _iso(written) | {
        "level": wrong if written.flaw is Flaw.LEVEL_WRONG else level,
        "prescription": str(written.prescription),
        "item": str(written.item),
        "course": "continuous" if written.refills else "acute",
        "cold_chain": "true" if written.medicine.cold_chain == "Y" else "false",
    }


def _fhir(written: Written) -> dict[str, str]:
    def made(part: str) -> str:
        return str(uuid.uuid5(written.message, part))

    return _iso(written) | {
        "prescription": str(written.prescription),
        "item": str(written.item),
        "short_number": short_number(written.trust, written.prescription),
        "supply_unit_code": _FORM_TABLET if written.flaw is Flaw.FORM_AS_UNIT else written.medicine.supply_unit_code,
        "course": "continuous" if written.refills else "acute",
        "course_display": "Continuous long term therapy" if written.refills else "Short course (acute) therapy",
        "header_id": made("header"),
        "patient_id": made("patient"),
        "role_id": made("role"),
        "practitioner_id": made("practitioner"),
        "organisation_id": made("organisation"),
    }


def _iso(written: Written) -> dict[str, str]:
    authored = written.authored.astimezone(LONDON)
    return {
        "sex": written.patient.sex,
        "born": written.patient.born.isoformat(),
        "sent": (authored + timedelta(minutes=4)).isoformat(),
        "authored": authored.isoformat(),
        "authored_on": authored.date().isoformat(),
        "valid_to": (authored.date() + timedelta(days=_VALID_DAYS)).isoformat(),
        "checked": (authored - timedelta(minutes=3)).isoformat(),
        "start": written.first_needed.isoformat(),
        "weighed": (authored.date() - timedelta(days=10)).isoformat(),
        "consented": (authored.date() - timedelta(days=60)).isoformat(),
    }


def _day(day: date) -> str:
    return day.strftime("%Y%m%d")


def _moment(moment: datetime) -> str:
    return moment.astimezone(LONDON).strftime("%Y%m%d%H%M%S%z")


def _escape_v2(text: str) -> str:
    for character, escape_sequence in (("\\", "\\E\\"), ("|", "\\F\\"), ("^", "\\S\\"), ("&", "\\T\\"), ("~", "\\R\\")):
        text = text.replace(character, escape_sequence)
    return text


_ESCAPES: dict[Style, Callable[[str], str]] = {
    Style.XML: lambda text: escape(text, {'"': "&quot;"}),
    Style.FHIR: lambda text: json.dumps(text)[1:-1],
}
"""How a value is made safe in each format; HL7 v2 in any other."""
