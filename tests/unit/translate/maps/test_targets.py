"""Where the rules say that a value stands in the FHIR message is where the writer puts it."""

from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings

from gateway.domain.identifiers import OdsCode
from gateway.domain.message import FhirMessage
from gateway.domain.partner import Environment, Provider
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Envelope, Submission, WireFormat
from gateway.translate.maps.rules import FHIR, HL7V2, XML, covers, plain, target_of, targets
from gateway.translate.to_fhir.leaves import RULE
from gateway.translate.to_fhir.message import write
from gateway.wire.strict_json import loads
from tests.factories import MOMENT
from tests.unit.translate.to_fhir.drawn import prescriptions

_ENTRY = "Bundle.entry.resource"


def _written(value: Prescription) -> FhirMessage:
    return write(
        value,
        submission=Submission(tenant=OdsCode("RBA"), format=WireFormat.HL7V2, body=b"MSH|", received_at=MOMENT),
        envelope=Envelope(format=WireFormat.HL7V2, control_id="S01-0001", system="EPMA"),
        trace=(),
        provider=Provider(
            ods=OdsCode("VNE51"), name="Example", environment=Environment.TEST, adapter="sandbox", endpoint=""
        ),
        environment=Environment.TEST,
        organisation=OdsCode("HCGW1"),
        reference_release="simulation-2026-11",
    )


def _placed(message: FhirMessage) -> Iterator[tuple[str, str]]:
    """Give canonical path, and FHIRPath from the resource's type on, of every value that has an origin."""
    bundle = loads(message.body)
    assert isinstance(bundle, dict)
    entries = bundle["entry"]
    assert isinstance(entries, list)
    for path, origin in message.explained:
        if origin.startswith(RULE) or not plain(path).startswith(_ENTRY):
            continue
        entry = entries[int(path.removeprefix("Bundle.entry[").partition("]")[0])]
        assert isinstance(entry, dict)
        assert isinstance(entry["resource"], dict)
        yield plain(origin), f"{entry['resource']['resourceType']}{plain(path).removeprefix(_ENTRY)}"


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(prescriptions)
def test_every_value_stands_where_its_target_says(value: Prescription) -> None:
    for origin, path in _placed(_written(value)):
        target = target_of(origin)
        assert target is not None, origin
        assert any(covers(place, path) for place in target.fhir), (origin, path)


def test_every_canonical_value_that_has_a_target_is_one_a_rule_can_make() -> None:
    """Or one that the gateway writes itself: a target without a rule would promise what nobody sends."""
    made = {rule.target for rules in (HL7V2, XML, FHIR) for rule in rules.rows if rule.target}
    ours = {"lines.prior", "lines.provider_order_number", "lines.status_reason"}
    for path in set(targets()) - ours:
        assert any(covers(path, target) or covers(target, path) for target in made), path
