"""The fragments of an EPS order that a prescriber signs, as the one canonical string they are hashed as.

It is the HL7 v3 form of the order, cut into pieces: time and id, prescriber, patient, then one a line in Bundle order.
No XML library is needed: the canonical form is written directly, which keeps numbers as the lexemes they came in.

Source: eps.md 4.1 and 4.2 (reproduces every usable published `$prepare` pair); W3C Exclusive XML Canonicalization 1.0.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from gateway.sign.eps_bundle import EpsOrder, Unsignable, coding_of, identifier_of

Json = Mapping[str, Any]

_V3 = "urn:hl7-org:v3"
_SNOMED_OID = "2.16.840.1.113883.2.1.3.2.4.15"
_ODS_OID = "1.2.826.0.1285.0.1.10"
_INFORMATION_OID = "2.16.840.1.113883.2.1.3.2.4.17.30"
_ENDORSEMENT_OID = "2.16.840.1.113883.2.1.3.2.4.16.32"

_GENDER = {"male": "1", "female": "2", "other": "9", "unknown": "0"}
_NAME_USE = {
    "usual": "L",
    "official": "L",
    "temp": "A",
    "anonymous": "A",
    "nickname": "PREFERRED",
    "old": "PREVIOUS",
    "maiden": "PREVIOUS-MAIDEN",
}
_TELECOM_USE = {"home": "HP", "work": "WP", "temp": "HV", "mobile": "MC"}
_ADDRESS_USE = {"home": "H", "work": "WP", "temp": "TMP", "billing": "PST"}


@dataclass(frozen=True, slots=True)
class Node:
    """An element: attributes with no value are left out, and so are children that are None."""

    tag: str
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    children: Sequence["Node | str | None"] = ()

    def write(self, *, namespace: str = "") -> str:
        """Write the element canonically: namespace first, attributes by name, empty elements open and closed."""
        attributes = "".join(
            f' {name}="{_in_attribute(value)}"' for name, value in sorted(self.attributes.items()) if value is not None
        )
        declared = f' xmlns="{namespace}"' if namespace else ""
        inner = "".join(
            _in_text(child) if isinstance(child, str) else child.write() for child in self.children if child is not None
        )
        return f"<{self.tag}{declared}{attributes}>{inner}</{self.tag}>"


def fragments(order: EpsOrder, when: datetime) -> tuple[str, ...]:
    """Give the content of each Fragment, in order.

    Args:
        order: the prescription-order Bundle.
        when: the signing time, aware.

    Raises:
        Unsignable: a part that is signed is missing, so that no honest digest exists.
    """
    time = Node("time", {"value": when.astimezone(UTC).strftime("%Y%m%d%H%M%S")})
    identity = Node("id", {"root": order.prescription_id.upper()})
    head = time.write(namespace=_V3) + identity.write(namespace=_V3)
    repeats = order.repeat_number
    lines = (
        _line(order, request, first=index == 0, repeats=repeats).write(namespace=_V3)
        for index, request in enumerate(order.requests)
    )
    return (head, _prescriber(order).write(namespace=_V3), _patient(order).write(namespace=_V3), *lines)


def fragments_string(order: EpsOrder, when: datetime) -> str:
    """Give the whole string that is hashed."""
    inner = "".join(f"<Fragment>{fragment}</Fragment>" for fragment in fragments(order, when))
    return f"<FragmentsToBeHashed>{inner}</FragmentsToBeHashed>"


def _prescriber(order: EpsOrder) -> Node:
    role, person = order.role, order.practitioner
    job = coding_of(role.get("code"), "https://fhir.nhs.uk/CodeSystem/NHSDigital-SDS-JobRoleCode") or coding_of(
        role.get("code"), "https://fhir.hl7.org.uk/CodeSystem/UKCore-SDSJobRoleName"
    )
    profile = identifier_of(role, "https://fhir.nhs.uk/Id/sds-role-profile-id")
    return Node(
        "AgentPerson",
        {"classCode": "AGNT"},
        [
            Node("id", {"root": "1.2.826.0.1285.0.2.0.67", "extension": profile}) if profile else None,
            Node("code", {"codeSystem": "1.2.826.0.1285.0.2.1.104", "code": job}) if job else None,
            *(_telecom(contact) for contact in order.role_telecom()),
            Node(
                "agentPerson",
                {"classCode": "PSN", "determinerCode": "INSTANCE"},
                [
                    Node("id", {"root": "1.2.826.0.1285.0.2.1.54", "extension": order.professional_code}),
                    *(_name(name) for name in person.get("name", ())[:1]),
                ],
            ),
            _represented(order),
        ],
    )


def _represented(order: EpsOrder) -> Node:
    site = order.site
    return _organisation(
        "representedOrganization",
        site.ods,
        site.name,
        [
            _telecom(site.telecom) if site.telecom else None,
            _address(site.address) if site.address else None,
            Node(
                "healthCareProviderLicense",
                {"classCode": "PROV"},
                [_organisation("Organization", site.licence_ods, site.licence_name, [])],
            ),
        ],
    )


def _organisation(tag: str, ods: str, name: str, more: Sequence[Node | None]) -> Node:
    return Node(
        tag,
        {"classCode": "ORG", "determinerCode": "INSTANCE"},
        [
            Node("id", {"root": _ODS_OID, "extension": ods}),
            Node("code", {"code": "999", "codeSystem": "2.16.840.1.113883.2.1.3.2.4.17.94"}),
            Node("name", {}, [name]) if name else None,
            *more,
        ],
    )


def _patient(order: EpsOrder) -> Node:
    patient = order.patient
    practice = order.gp_practice
    person = Node(
        "patientPerson",
        {"classCode": "PSN", "determinerCode": "INSTANCE"},
        [
            *(_name(name) for name in patient.get("name", ())),
            Node(
                "administrativeGenderCode",
                {"code": _GENDER.get(patient.get("gender", "")), "codeSystem": "2.16.840.1.113883.2.1.3.2.4.16.25"},
            ),
            Node("birthTime", {"value": str(patient.get("birthDate", "")).replace("-", "")}),
            Node(
                "playedProviderPatient",
                {"classCode": "PAT"},
                [
                    Node(
                        "subjectOf",
                        {"typeCode": "SBJ"},
                        [
                            Node(
                                "patientCareProvision",
                                {"classCode": "PCPR", "moodCode": "EVN"},
                                [
                                    Node("code", {"code": "1", "codeSystem": "2.16.840.1.113883.2.1.3.2.4.17.37"}),
                                    Node(
                                        "responsibleParty",
                                        {"typeCode": "RESP"},
                                        [
                                            Node(
                                                "healthCareProvider",
                                                {"classCode": "PROV"},
                                                [Node("id", {"root": _ODS_OID, "extension": practice})],
                                            )
                                        ],
                                    ),
                                ],
                            )
                        ],
                    )
                ],
            ),
        ],
    )
    return Node(
        "recordTarget",
        {"typeCode": "RCT"},
        [
            Node(
                "Patient",
                {"classCode": "PAT"},
                [
                    Node("id", {"root": "2.16.840.1.113883.2.1.4.1", "extension": order.nhs_number}),
                    *(_address(address) for address in patient.get("address", ())),
                    *(_telecom(contact) for contact in patient.get("telecom", ())),
                    person,
                ],
            )
        ],
    )


def _line(order: EpsOrder, request: Json, *, first: bool, repeats: str | None) -> Node:
    drug = order.medication(request)
    information = _additional_instructions(order, request, first=first)
    return Node(
        "pertinentLineItem",
        {"classCode": "SBADM", "moodCode": "RQO"},
        [
            Node("id", {"root": order.item_id(request).upper()}),
            Node(
                "code",
                {
                    "code": "225426007",
                    "codeSystem": _SNOMED_OID,
                    "displayName": "Administration of therapeutic substance (procedure)",
                },
            ),
            Node("effectiveTime", {"nullFlavor": "NA"}),
            Node("repeatNumber", {}, [Node("high", {"value": repeats})]) if repeats else None,
            _product(drug),
            _quantity(request),
            _pertinent("1", "pertinentAdditionalInstructions", "AI", Node("value", {}, [information]))
            if information
            else None,
            *(_endorsement(code) for code in _endorsements(request)),
            _pertinent("2", "pertinentDosageInstructions", "DI", Node("value", {}, [dosage_text(request)])),
        ],
    )


def _product(drug: Json) -> Node:
    code = {"code": drug.get("code"), "codeSystem": _SNOMED_OID, "displayName": drug.get("display")}
    material = Node(
        "manufacturedRequestedMaterial", {"classCode": "MMAT", "determinerCode": "KIND"}, [Node("code", code)]
    )
    return Node(
        "product",
        {"contextControlCode": "OP", "typeCode": "PRD"},
        [Node("manufacturedProduct", {"classCode": "MANU"}, [material])],
    )


def _quantity(request: Json) -> Node:
    quantity = request.get("dispenseRequest", {}).get("quantity")
    if not isinstance(quantity, Mapping) or "value" not in quantity:
        raise Unsignable("dispenseRequest.quantity", "the quantity is missing")
    value = _lexeme(quantity["value"])
    translation = {
        "code": quantity.get("code"),
        "codeSystem": _SNOMED_OID,
        "displayName": quantity.get("unit"),
        "value": value,
    }
    code = {
        "code": "373784005",
        "codeSystem": _SNOMED_OID,
        "displayName": "Dispensing medication (procedure)",
    }
    return Node(
        "component",
        {"typeCode": "COMP"},
        [
            Node("seperatableInd", {"value": "false"}),
            Node(
                "lineItemQuantity",
                {"classCode": "SPLY", "moodCode": "RQO"},
                [
                    Node("code", code),
                    Node("quantity", {"unit": "1", "value": value}, [Node("translation", translation)]),
                ],
            ),
        ],
    )


def _pertinent(number: str, tag: str, code: str, value: Node) -> Node:
    return Node(
        f"pertinentInformation{number}",
        {"contextConductionInd": "true", "typeCode": "PERT"},
        [
            Node("seperatableInd", {"value": "false"}),
            Node(
                tag,
                {"classCode": "OBS", "moodCode": "EVN"},
                [Node("code", {"code": code, "codeSystem": _INFORMATION_OID}), value],
            ),
        ],
    )


def _endorsements(request: Json) -> Iterator[str]:
    for extension in request.get("extension", ()):
        if extension.get("url", "").endswith("/Extension-DM-PrescriptionEndorsement"):
            for coding in extension.get("valueCodeableConcept", {}).get("coding", ()):
                yield str(coding.get("code"))


def _endorsement(code: str) -> Node:
    value = Node("value", {"code": code, "codeSystem": _ENDORSEMENT_OID})
    return _pertinent("3", "pertinentPrescriberEndorsement", "PE", value)


def _additional_instructions(order: EpsOrder, request: Json, *, first: bool) -> str:
    """Join what the dispenser and the patient are told; the first line carries the patient's part (eps.md 4.2)."""
    pieces: list[str] = []
    if first:
        pieces += [f"<medication>{_in_text(name)}</medication>" for name in order.medication_list()]
        pieces += [f"<patientInfo>{_in_text(text)}</patientInfo>" for text in order.patient_information()]
    words = [f"CD: {text}" for text in _controlled_words(request)]
    words += [str(note.get("text", "")) for note in request.get("note", ())]
    return "".join(pieces) + _in_text("\n".join(words))


def _controlled_words(request: Json) -> Iterator[str]:
    for extension in request.get("extension", ()):
        if extension.get("url", "").endswith("/Extension-DM-ControlledDrug"):
            for part in extension.get("extension", ()):
                if part.get("url") == "quantityWords":
                    yield str(part.get("valueString"))


def dosage_text(request: Json) -> str:
    """Join the words of a line's dosages: equal sequences with ", and ", rising ones with ", then " (eps.md 4.2)."""
    dosages = request.get("dosageInstruction", ())
    if len(dosages) == 1:
        return str(dosages[0].get("text", ""))
    groups: dict[int, list[str]] = {}
    for dosage in dosages:
        groups.setdefault(int(dosage.get("sequence", 0)), []).append(str(dosage.get("text", "")))
    return ", then ".join(", and ".join(groups[number]) for number in sorted(groups))


def _name(name: Json) -> Node:
    parts = [
        *(Node("prefix", {}, [text]) for text in name.get("prefix", ())),
        *(Node("given", {}, [text]) for text in name.get("given", ())),
        *([Node("family", {}, [name["family"]])] if name.get("family") else []),
        *(Node("suffix", {}, [text]) for text in name.get("suffix", ())),
    ]
    children: Sequence[Node | str] = parts or [str(name.get("text", ""))]
    return Node("name", {"use": _NAME_USE.get(name.get("use", ""))}, children)


def _telecom(contact: Json) -> Node:
    value = re.sub(r"\s", "", str(contact.get("value", "")))
    value = value if value.startswith("tel:") else f"tel:{value}"
    return Node("telecom", {"use": _TELECOM_USE.get(contact.get("use", "")), "value": value})


def _address(address: Json) -> Node:
    lines: Iterable[str] = (
        *address.get("line", ()),
        address.get("city", ""),
        address.get("district", ""),
        address.get("state", ""),
    )
    postcode = address.get("postalCode")
    return Node(
        "addr",
        {"use": _ADDRESS_USE.get(address.get("use", ""))},
        [
            *(Node("streetAddressLine", {}, [line]) for line in lines if line),
            Node("postalCode", {}, [postcode]) if postcode else None,
        ],
    )


def _lexeme(value: object) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _in_text(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _in_attribute(text: str) -> str:
    text = re.sub(r"[\t\f]+", " ", text).replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
