"""The environment: what may be set, and what is refused."""

import os
from pathlib import Path

import pytest

from gateway.domain.errors import ConfigurationError
from gateway.domain.partner import Environment
from gateway.settings import read_settings, variables


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("GATEWAY_"):
            monkeypatch.delenv(name)


def test_nothing_need_be_set_on_a_laptop() -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.mllp_port) == ("127.0.0.1", 8080, 2575)
    assert settings.in_development
    assert settings.config is None


def test_the_environment_is_read_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "9000")
    monkeypatch.setenv("GATEWAY_DATA", "/somewhere")
    assert read_settings().port == 9000
    assert read_settings(port=9001, data=None).port == 9001
    assert read_settings(data=None).data == Path("/somewhere")


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_settings().port = 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_development_unless_it_is_switched_off(host: str) -> None:
    assert read_settings(host=host).in_development
    assert not read_settings(host=host, development=False).in_development


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "gateway.example"])  # noqa: S104
@pytest.mark.parametrize("door", ["host", "mllp_host"])
def test_development_is_refused_off_loopback(host: str, door: str) -> None:
    assert not read_settings(**{door: host}).in_development
    with pytest.raises(ConfigurationError, match="GATEWAY_DEVELOPMENT is only for loopback"):
        read_settings(**{door: host}, development=True)


def test_development_is_refused_for_a_live_configuration() -> None:
    with pytest.raises(ConfigurationError, match="GATEWAY_DEVELOPMENT=false"):
        read_settings().refuse_unsafe(Environment.LIVE)
    read_settings(development=False).refuse_unsafe(Environment.LIVE)
    read_settings().refuse_unsafe(Environment.TEST)


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "many")
    monkeypatch.setenv("GATEWAY_PROT", "80")
    monkeypatch.setenv("GATEWAY_HTTP_BODY_BYTES", "1")
    monkeypatch.setenv("GATEWAY_LOG_LEVEL", "loud")
    with pytest.raises(ConfigurationError) as caught:
        read_settings()
    told = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 4
    for name in ("GATEWAY_PROT: is not a setting", "GATEWAY_PORT:", "GATEWAY_HTTP_BODY_BYTES:", "GATEWAY_LOG_LEVEL:"):
        assert name in told


def test_variables_of_the_configuration_folder_are_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN_RBA", "secret")
    monkeypatch.setenv("GATEWAY_PORT", "9000")
    assert variables() == {"GATEWAY_TOKEN_RBA": "secret"}
    assert "secret" not in repr(read_settings())


def test_in_development_only_the_names_of_loopback_are_answered_to() -> None:
    assert read_settings().allowed_hosts == {"localhost", "127.0.0.1", "[::1]"}
    assert read_settings(development=False).allowed_hosts == frozenset()
    assert read_settings(host_names="Gateway.example, b.example").allowed_hosts == {"gateway.example", "b.example"}
