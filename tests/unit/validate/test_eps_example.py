"""The published example that must not pass: 5 mg five times a day for 10 days, and 5 ml of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.config.reference import load_reference
from gateway.domain.issue import held
from gateway.domain.partner import Environment
from gateway.domain.submission import Submission, WireFormat
from gateway.translate.context import ReadingContext
from gateway.translate.from_fhir.message import read
from gateway.validate.check import check
from gateway.wire.strict_json import dumps
from tests import factories
from tests.unit.translate.from_fhir import orders

NOW = datetime(2026, 10, 5, 9, tzinfo=UTC)


def _message(millilitres: int) -> dict[str, Any]:
    """An order of our own that says what the example says."""
    message = orders.message()
    order = orders.resource(message, "MedicationRequest")
    order["medicationCodeableConcept"] = orders.concept(
        "http://snomed.info/sct", "13892511000001100", "Amlodipine 5mg/5ml oral solution"
    )
    order["courseOfTherapyType"]["coding"][0]["code"] = "acute"
    del order["dispenseRequest"]["numberOfRepeatsAllowed"]
    del order["dispenseRequest"]["expectedSupplyDuration"]
    unit = {"unit": "millilitre", "system": "http://unitsofmeasure.org", "code": "mL"}
    order["dispenseRequest"]["quantity"] = {"value": millilitres} | unit
    days = {"value": 10, "unit": "day", "system": "http://unitsofmeasure.org", "code": "d"}
    dose = {"value": 5, "unit": "milligram", "system": "http://unitsofmeasure.org", "code": "mg"}
    order["dosageInstruction"] = [
        {
            "text": "5 milligram - 5 times a day - Oral - for 10 days",
            "timing": {"repeat": {"frequency": 5, "period": 1, "periodUnit": "d", "boundsDuration": days}},
            "route": orders.concept("http://snomed.info/sct", "26643006", "Oral"),
            "doseAndRate": [{"doseQuantity": dose}],
        }
    ]
    return message


@pytest.mark.parametrize(("millilitres", "codes"), [(5, ["SUPPLY_SUM_MISMATCH"]), (250, [])])
def test_words_and_structure_that_agree_do_not_pass_with_a_fiftieth_of_the_quantity(
    millilitres: int, codes: list[str]
) -> None:
    trust, reference = factories.trust(), load_reference()
    submission = Submission(
        tenant=trust.ods, format=WireFormat.FHIR, body=dumps(_message(millilitres)), received_at=NOW
    )
    context = ReadingContext(trust=trust, reference=reference, environment=Environment.TEST)
    (order,) = read(submission, context).orders
    assert order.issues == ()
    issues = check(order, order.prescription, None, trust=trust, reference=reference, now=NOW)
    assert [issue.code for issue in issues] == codes
    assert held(issues) is bool(codes)
    assert {issue.location for issue in issues} <= {"Bundle.entry[1].resource.dispenseRequest.quantity.value"}
