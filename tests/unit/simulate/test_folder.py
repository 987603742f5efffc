"""The configuration folder of a run is one the gateway accepts, with that run's ports, tokens and time."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.access.directory import Directory
from gateway.config.load import load
from gateway.domain.deadline import Urgency
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.simulate.behaviours import BEHAVIOURS
from gateway.simulate.folder import (
    DEADLINES,
    TIME_SCALE,
    WATCHED_DEADLINES,
    WATCHED_TERMS,
    Addresses,
    choose_addresses,
    write_folder,
)
from gateway.simulate.world import NAMES, OVER_MLLP, PROFILES


@pytest.fixture(scope="module", name="addresses")
def chosen() -> Addresses:
    return choose_addresses(PROFILES, BEHAVIOURS)


def test_the_gateway_accepts_the_folder(addresses: Addresses, tmp_path: Path) -> None:
    write_folder(tmp_path, addresses, over_mllp=OVER_MLLP)
    configuration = load(tmp_path, environ=addresses.variables())
    assert configuration.time_scale == TIME_SCALE
    assert configuration.without_token == ()
    for state, seconds in DEADLINES.items():
        assert configuration.custody[LineState(state)].limit_seconds == seconds
    directory = Directory(configuration.credentials)
    for name, token in addresses.tokens.items():
        principal = directory.identify(token)
        assert principal is not None
        assert principal.name == name


def test_while_a_person_looks_on_what_is_late_is_told_sooner(addresses: Addresses, tmp_path: Path) -> None:
    write_folder(tmp_path, addresses, over_mllp=OVER_MLLP, deadlines=WATCHED_DEADLINES, terms=WATCHED_TERMS)
    limits = load(tmp_path, environ=addresses.variables()).deadlines
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert limits.paper_by(Urgency.ROUTINE, at) - at == timedelta(seconds=30)


def test_while_a_person_looks_on_what_cannot_be_sent_is_given_up_sooner(addresses: Addresses, tmp_path: Path) -> None:
    write_folder(tmp_path, addresses, over_mllp=OVER_MLLP, gives_up_seconds=60)
    assert load(tmp_path, environ=addresses.variables()).retry.age_seconds == 60


def test_a_certificate_ends_where_it_is_said_to(addresses: Addresses, tmp_path: Path) -> None:
    write_folder(tmp_path, addresses, over_mllp=OVER_MLLP, certificates={"VN6XW": date(2026, 12, 12)})
    providers = load(tmp_path, environ=addresses.variables()).routing.providers
    assert {str(ods): one.certificate_ends for ods, one in providers.items() if one.certificate_ends} == {
        "VN6XW": date(2026, 12, 12)
    }


def test_every_partner_of_the_demonstration_is_simulated(addresses: Addresses, tmp_path: Path) -> None:
    write_folder(tmp_path, addresses, over_mllp=OVER_MLLP)
    configuration = load(tmp_path, environ=addresses.variables())
    assert {ods.value for ods in configuration.trusts} == set(PROFILES)
    assert {ods.value for ods in configuration.routing.providers} == set(BEHAVIOURS)
    for ods, name in NAMES.items():
        partners = configuration.trusts if ods in PROFILES else configuration.routing.providers
        assert partners[OdsCode(ods)].name == name
    for ods, behaviour in BEHAVIOURS.items():
        provider = configuration.routing.providers[OdsCode(ods)]
        assert (provider.adapter == "sandbox") is behaviour.own_json
        assert provider.endpoint.endswith(f":{addresses.providers[ods]}/messages")
        assert provider.token == addresses.shown[ods]


def test_trusts_are_told_things_where_they_listen(addresses: Addresses, tmp_path: Path) -> None:
    write_folder(tmp_path, addresses, over_mllp=OVER_MLLP)
    for ods, trust in load(tmp_path, environ=addresses.variables()).trusts.items():
        assert trust.tells is not None
        assert str(addresses.listeners[ods.value]) in f"{trust.tells.port} {trust.tells.url}"
        assert (trust.tells.kind == "mllp") is (ods.value in OVER_MLLP)


def test_all_ports_differ(addresses: Addresses) -> None:
    ports = [addresses.http, addresses.mllp, *addresses.listeners.values(), *addresses.providers.values()]
    assert len(set(ports)) == len(ports)


def test_no_token_stands_in_the_folder(addresses: Addresses, tmp_path: Path) -> None:
    write_folder(tmp_path, addresses, over_mllp=OVER_MLLP)
    everything = "".join(file.read_text() for file in tmp_path.rglob("*.toml"))
    assert not [token for token in (*addresses.tokens.values(), *addresses.shown.values()) if token in everything]
