"""What translation stands in: configuration, tables and adapters, without doors, store and keys."""

from pathlib import Path

from gateway.config.configuration import Configuration
from gateway.config.fhir_xml import fhir_xml
from gateway.config.profiles import fhir_checker
from gateway.config.reference import reference_in_force
from gateway.pipeline.surroundings import Surroundings
from gateway.plugins import connect


def surroundings(configuration: Configuration, reference: Path | None = None) -> Surroundings:
    """Give what translation may know: configuration, tables and adapters.

    Args:
        configuration: in force.
        reference: folder of the reference tables; the packaged ones if it is None or holds none.

    Raises:
        ConfigurationError: an adapter is absent or does not keep the contract; or the tables are not as they were
            loaded, or are the packaged ones and the configuration is live.
    """
    return Surroundings(
        organisation=configuration.organisation,
        environment=configuration.environment,
        trusts=configuration.trusts,
        routing=configuration.routing,
        reference=reference_in_force(reference, configuration.environment),
        destinations=connect(configuration.routing.providers),
        receiver_names=configuration.receiver_names,
        fhir_xml=fhir_xml(),
        fhir=fhir_checker(),
        evidence=configuration.evidence,
    )
