"""The FHIR check as one call: a parsed resource in, every finding out.

Source: brief D6; FHIR R4 4.0.1.
"""

from collections.abc import Mapping
from typing import Any

from gateway.validate.fhir.finding import Finding
from gateway.validate.fhir.references import check_references
from gateway.validate.fhir.walk import Table, Walker


class FhirChecker:
    """Checks resources against the compiled R4 4.0.1 table.

    Args:
        table: as made by `compile.compile_table`, read from `fhir_profiles` by whoever wires this up.
    """

    def __init__(self, table: Table) -> None:
        self._walker = Walker(table)

    def check(self, resource: Mapping[str, Any]) -> tuple[Finding, ...]:
        """Give every finding, in document order for structure and then for references.

        Args:
            resource: parsed JSON with decimals as `Decimal` (`gateway.wire.strict_json.loads`).

        Returns:
            Nothing for a clean resource. A type that is not compiled gives `not-supported`, never success.
        """
        walked = self._walker.walk(resource)
        check_references(walked)
        return tuple(walked.findings)
