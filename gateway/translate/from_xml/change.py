"""The element `Change`: what a cancel, a hold or a release refers to, why, and who asks.

Source: mapping.md 7.2; trust-xml/homecare-prescription-1.0.xsd.
"""

from gateway.domain.submission import Change
from gateway.translate import lexical
from gateway.translate.cancel_reasons import reason_of
from gateway.translate.from_xml.document import ROOT, Node
from gateway.translate.from_xml.people import professional
from gateway.translate.maps.rules import XML
from gateway.translate.record import Record

_REPEATED = XML.named("XML.ignored.change")


def read_change(record: Record, root: Node) -> Change | None:
    """Read what is to be cancelled, held or released; None, with an issue, where nothing is named."""
    node = root.one("Change")
    if node is None:
        record.flag("STRUCTURE_INVALID", f"/{ROOT}", "A cancel, hold or release needs the element Change.")
        return None
    wanted = "Send a UUID."
    number = node.words("PrescriptionId")
    prescription = record.take(
        number, "change.prescription_id", lexical.identifier, "parse:uuid", wanted, "IDENTIFIER_INVALID"
    )
    items = []
    for index, part in enumerate(node.many("ItemId")):
        at = f"change.items[{index}]"
        item = record.take(part.text, at, lexical.identifier, "parse:uuid", wanted, "IDENTIFIER_INVALID")
        items += [item] if item else []
    said = node.one("Reason")
    code = said.attribute("code") if said else None
    change = Change(
        items=tuple(items),
        prescription_id=prescription,
        location=number.locator if number else node.path,
        reason=record.take(code, "change.reason", reason_of, "table:cancel-reason", "Send a reason 0001 to 0009."),
        reason_text=record.words(said.text if said else None, "change.reason_text"),
        by=professional(record, node.one("RequestedBy"), "change.by"),
    )
    for name in ("Patient", "Prescriber", "ResponsibleConsultant", "ClinicalCheck"):
        block = root.one(name)
        record.ignore(block.leaves() if block else (), _REPEATED)
    return change if prescription else None
