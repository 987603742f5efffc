"""What translation stands in: configuration, tables and adapters, without doors, store and keys."""

from gateway.config.configuration import Configuration
from gateway.config.fhir_xml import fhir_xml
from gateway.config.profiles import fhir_checker
from gateway.config.reference import load_reference
from gateway.pipeline.translate import Surroundings
from gateway.plugins import connect


def surroundings(configuration: Configuration) -> Surroundings:
    """Give what translation may know: configuration, tables and adapters.

    Raises:
        ConfigurationError: an adapter is absent or does not keep the contract.
    """
    return Surroundings(
        organisation=configuration.organisation,
        environment=configuration.environment,
        trusts=configuration.trusts,
        routing=configuration.routing,
        reference=load_reference(),
        destinations=connect(configuration.routing.providers),
        receiver_names=configuration.receiver_names,
        fhir_xml=fhir_xml(),
        fhir=fhir_checker(),
        evidence=configuration.evidence,
    )
