"""HL7 v2 orders as a trust's system writes them, one clinical case in a line."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from gateway.commands.offline import Offline, Seen
from gateway.config.load import load
from gateway.domain.identifiers import OdsCode
from gateway.domain.submission import Submission, WireFormat
from gateway.pipeline.surroundings import Surroundings
from gateway.wiring.around import surroundings

TRUST = OdsCode("RBA")
RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)
WRITTEN = "20261120105500+0000"

PID = (
    "PID|1||9990000077^^^NHS^NH~HC100001^^^RBA^MR||TESTPATIENT^Aoife^Mary^^MS||19790412|F|||"
    "1 Example Street^^Testville^Testshire^TA1 1AA^GBR^H"
)
ZHC = "ZHC|1|VNE51^Example Homecare Ltd^ODS|MT"
MG, UG, ML = "mg^milligram^UCUM", "ug^microgram^UCUM", "mL^millilitre^UCUM"
TABLET, SYRINGE = "428673006^tablet^SCT", "3318611000001103^pre-filled disposable injection^SCT"
VIAL, UNITS = "415818006^vial^SCT", "258666001^unit^SCT"
ORAL, SUBCUTANEOUS, INTRAVENOUS = (
    "RXR|26643006^Oral route^SCT",
    "RXR|34206005^Subcutaneous route^SCT",
    "RXR|47625008^Intravenous route^SCT",
)
TOFACITINIB = "39705411000001108^Tofacitinib 5mg tablets^SCT"
METHOTREXATE_10 = "41791911000001107^Methotrexate 10mg tablets^SCT"
METHOTREXATE_PEN = "24594311000001100^Methotrexate 10mg/0.2ml solution for injection pre-filled disposable devices^SCT"
HUMIRA = "32881711000001106^Humira 40mg/0.4ml solution for injection pre-filled pens (AbbVie Ltd)^SCT"
DARBEPOETIN = "3975211000001106^Darbepoetin alfa 40micrograms/0.4ml solution for injection pre-filled syringes^SCT"
PREDNISOLONE = "42087311000001104^Prednisolone 5mg tablets^SCT"
SILDENAFIL = "21705011000001109^Sildenafil 10mg/ml oral suspension sugar free^SCT"
IMMUNOGLOBULIN = "19466511000001109^Normal immunoglobulin human 1g/5ml solution for infusion vials^SCT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of an order; fields as HL7 v2 names them."""

    product: str = TOFACITINIB
    dose: str = ""
    most: str = ""
    unit: str = MG
    words: str = ""
    quantity: str = "56"
    of: str = TABLET
    refills: str = "0"
    timing: str = ""
    route: str = ORAL
    more: tuple[str, ...] = ()

    def segments(self) -> tuple[str, ...]:
        unit = self.unit if self.dose else ""
        words = f"^{self.words}" if self.words else ""
        rxe = f"RXE||{self.product}|{self.dose}|{self.most}|{unit}||{words}||N|{self.quantity}|{self.of}|{self.refills}"
        timings = (f"TQ1|1||{self.timing}",) if self.timing else ()
        return (rxe, *timings, self.route, *self.more, ZHC)


def orc(control: str = "NW", number: str = "RX1", *, group: str = "GRP1", parent: str = "", reason: str = "") -> str:
    return (
        f"ORC|{control}|{number}^RBA||{group}^RBA||||{parent}|{WRITTEN}|||9999991^PRESCRIBER^Casey^^^DR^^^GMC|||"
        f"{WRITTEN}|{reason}|||||RHEUMATOLOGY^^RBA11^^^ODS"
    )


def message(*segments: str, control_id: str = "C1", kind: str = "RDE^O11^RDE_O11", version: str = "2.5.1") -> bytes:
    msh = (
        f"MSH|^~\\&|EPMA|RBA|HCGATEWAY|GATEWAY|20261120110000+0000||{kind}|{control_id}|T|{version}||||||UNICODE UTF-8"
    )
    return ("\r".join((msh, PID, *segments)) + "\r").encode()


def order(item: Item) -> bytes:
    return message(orc(), *item.segments())


@cache
def around() -> Surroundings:
    return surroundings(load(None))


def read(*bodies: bytes) -> Seen:
    """Read messages one after another and give what became of the last."""
    offline = Offline(around())
    for body in bodies:
        seen = offline.take(
            Submission(
                tenant=TRUST,
                format=WireFormat.HL7V2,
                body=body,
                content_type="application/hl7-v2+er7",
                received_at=RECEIVED,
            )
        )
    return seen


def codes(seen: Seen) -> set[str]:
    return {issue.code for issue in seen.verdict.issues}
