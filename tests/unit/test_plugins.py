"""Adapters are found by name and must keep the contract."""

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from gateway.config.load import load
from gateway.destination import Promises
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment, Provider
from gateway.plugins import GROUP, MEMBERS, connect

VNE51 = OdsCode("VNE51")
PROVIDER = Provider(
    ods=VNE51, name="Example", environment=Environment.TEST, adapter="paper", endpoint="http://127.0.0.1/"
)


class Paper:
    name = "paper"
    promises = Promises()

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        if provider.options.get("broken"):
            raise ValueError("secret")

    cannot_carry = render = transmit = read_acknowledgement = close = None


class Old(Paper):
    promises = Promises(contract=0)


class Renamed(Paper):
    name = "parchment"


Bare = SimpleNamespace(name="paper", promises=Promises())


def _entry(target: str, name: str = "paper") -> list[EntryPoint]:
    return [EntryPoint(name=name, value=f"{__name__}:{target}", group=GROUP)]


def test_every_demonstration_provider_has_its_adapter() -> None:
    providers = load(None).routing.providers
    destinations = connect(providers)
    assert set(destinations) == set(providers)
    assert {destination.name for destination in destinations.values()} == {"fhir_push", "sandbox"}


def test_each_provider_gets_an_adapter_of_its_own() -> None:
    other = OdsCode("VNCEL")
    destinations = connect({VNE51: PROVIDER, other: PROVIDER}, found=_entry("Paper"))
    assert destinations[VNE51] is not destinations[other]


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ([], "provider VNE51: adapter paper is not installed (installed: none)"),
        (_entry("Paper", "pigeon"), "provider VNE51: adapter paper is not installed (installed: pigeon)"),
        (_entry("Absent"), "adapter paper: cannot be loaded: AttributeError"),
        (_entry("Old"), "adapter paper: keeps contract 0, this gateway needs 1"),
        (_entry("Renamed"), "adapter paper: calls itself parchment"),
        (_entry("Bare"), f"adapter paper: lacks {', '.join(MEMBERS[2:])}"),
    ],
)
def test_an_adapter_that_breaks_the_contract_is_a_fault(found: list[EntryPoint], fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect({VNE51: PROVIDER}, found=found)
    assert caught.value.faults == (fault,)


def test_an_adapter_that_refuses_its_settings_is_a_fault_that_quotes_none_of_them() -> None:
    broken = Provider(
        ods=VNE51,
        name="Example",
        environment=Environment.TEST,
        adapter="paper",
        endpoint="http://127.0.0.1/",
        options={"broken": "yes"},
    )
    with pytest.raises(ConfigurationError) as caught:
        connect({VNE51: broken}, found=_entry("Paper"))
    assert caught.value.faults == ("provider VNE51: adapter paper refuses its settings",)
