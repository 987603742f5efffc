"""Which provider a prescription goes to: by scheme, brand, trust and registration, not by trust alone.

A provider the sender names must be known, active and of the right environment; otherwise the prescription is held,
never sent elsewhere. Where none is named, the most specific row of the routing table decides; two equally specific
rows that differ are a hold, for nobody here may choose.

Source: brief D2; domain.md 1; mapping.md 3.4 (RXO-32, RXE-40, ZHC-2).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.partner import Environment, Provider
from gateway.domain.prescription import Prescription


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    """One row; an empty field matches anything.

    Attributes:
        scheme: funding scheme (`trust`, `manufacturer`, …).
        product: a dm+d code of the brand or product.
        trust: ODS code of the trust.
        registration_prefix: start of the patient's homecare registration number.
        provider: ODS code it leads to.
    """

    provider: OdsCode
    trust: OdsCode | None = None
    scheme: str = ""
    product: str = ""
    registration_prefix: str = ""

    def matches(self, prescription: Prescription, trust: OdsCode) -> bool:
        """Tell whether every stated field agrees. A product row must cover every line."""
        homecare = prescription.homecare
        return (
            self.trust in {None, trust}
            and self.scheme in {"", homecare.funding}
            and (not self.product or all(line.product.code.value == self.product for line in prescription.lines))
            and homecare.registration.startswith(self.registration_prefix)
        )

    @property
    def specificity(self) -> int:
        """How many fields are stated; the trust alone weighs least."""
        return 2 * (bool(self.scheme) + bool(self.product) + bool(self.registration_prefix)) + bool(self.trust)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingTable:
    """The rows in force and the providers they lead to."""

    rows: tuple[RouteRow, ...]
    providers: Mapping[OdsCode, Provider]


def choose_destination(
    prescription: Prescription, trust: OdsCode, environment: Environment, table: RoutingTable, *, location: str
) -> Provider | Issue:
    """Choose the one provider, or say why none can be chosen.

    Args:
        prescription: what is to be supplied.
        trust: its originator.
        environment: live or test; a provider of the other one is never chosen (D17).
        table: routes and providers in force.
        location: where the sender named the provider, or would have, for the issue.

    Returns:
        The provider, or a PROVIDER_UNKNOWN issue.
    """

    def usable(ods: OdsCode) -> Provider | None:
        provider = table.providers.get(ods)
        return provider if provider and provider.active and provider.environment is environment else None

    def unknown(text: str) -> Issue:
        return Issue(code="PROVIDER_UNKNOWN", location=location, text=text)

    named = prescription.homecare.provider
    if named is not None:
        provider = usable(named)
        return provider or unknown(f"Provider {named} is not known and active in the {environment} environment.")
    matching = [row for row in table.rows if row.matches(prescription, trust)]
    if not matching:
        return unknown("No provider is named and no route matches.")
    best = max(row.specificity for row in matching)
    choices = {row.provider for row in matching if row.specificity == best}
    if len(choices) > 1:
        return unknown("Routes of equal weight lead to different providers: " + ", ".join(sorted(map(str, choices))))
    provider = usable(choices.pop())
    return provider or unknown("The route leads to a provider that is not active in this environment.")
