"""How people sign in, as `console.toml` says it."""

import shutil
from importlib.resources import files
from pathlib import Path
from typing import cast

import pytest

from gateway.access.roles import Role
from gateway.config.configuration import Configuration
from gateway.config.load import load
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode

ISSUER = """
[issuer]
url = "https://id.example.nhs.uk"
client_id = "gateway"
client_secret_env = "GATEWAY_SECRET_CONSOLE"
public_url = "https://gateway.example.nhs.uk/"
"""
ROLE = """
[[roles]]
value = "hp"
role = "homecare-pharmacist"
organisation = "RBA"
"""
ENVIRON = {"GATEWAY_SECRET_CONSOLE": "not guessed", "GATEWAY_SECRET_KEY": "PEM"}


def loaded(tmp_path: Path, text: str) -> Configuration:
    folder = tmp_path / "configuration"
    shutil.copytree(cast("Path", files("gateway.config").joinpath("demonstration")), folder, dirs_exist_ok=True)
    (folder / "console.toml").write_text(text)
    return load(folder, environ=ENVIRON)


def test_without_the_file_there_is_no_identity_provider() -> None:
    signing_in = load(None).signing_in
    assert signing_in.issuer is None
    assert signing_in.rules == ()


def test_a_whole_file(tmp_path: Path) -> None:
    found = loaded(tmp_path, ISSUER + ROLE + "[sessions]\nidle_minutes = 20\nabsolute_hours = 8\n")
    issuer = found.signing_in.issuer
    assert issuer is not None
    assert issuer.back == "https://gateway.example.nhs.uk"
    assert issuer.secret == "not guessed"
    assert "not guessed" not in repr(issuer)
    assert found.signing_in.rules[0].role is Role.HOMECARE_PHARMACIST
    assert found.signing_in.rules[0].organisation == OdsCode("RBA")
    assert found.signing_in.idle.total_seconds() == 20 * 60
    assert found.digest != load(None).digest


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("https://id", "http://id"), "url: must be https"),
        (("https://gateway", "http://gateway"), "public_url: must be https"),
        (('"https://id.example.nhs.uk"', '"id"'), "url: is not an https address"),
        (('client_id = "gateway"', ""), "client_id: is missing"),
        (('client_secret_env = "GATEWAY_SECRET_CONSOLE"', ""), "state either this or client_key_env"),
        (("GATEWAY_SECRET_CONSOLE", "GATEWAY_SECRET_OTHER"), "GATEWAY_SECRET_OTHER is not set"),
        (('url = "https://id', 'client_key_env = "GATEWAY_SECRET_KEY"\nurl = "https://id'), "state either"),
        (('client_id = "gateway"', 'client_id = "gateway"\nalgorithms = ["none"]'), "'none' is not one of"),
        (('client_id = "gateway"', 'client_id = "gateway"\nalgorithms = ["HS256"]'), "'HS256' is not one of"),
        (('client_id = "gateway"', 'client_id = "gateway"\nscopes = ["profile"]'), "must hold openid"),
        (('client_id = "gateway"', 'client_id = "gateway"\nclient_secret = "x"'), "client_secret: is not a setting"),
        (('organisation = "RBA"', 'organisation = "RXX"'), "'RXX' is no trust or provider"),
        (('organisation = "RBA"', 'organisation = "VNE51"'), "cannot be of VNE51"),
        (('organisation = "RBA"', 'organisation = "whole"'), "is of one organisation"),
        (('organisation = "RBA"', ""), "organisation: is missing"),
        (('role = "homecare-pharmacist"', 'role = "pharmacist"'), "role: is not one of"),
        (('"homecare-pharmacist"\norganisation = "RBA"', '"auditor"\norganisation = "stated"'), "write 'whole'"),
        ((ROLE, ""), "roles: is missing"),
        ((ISSUER, ""), "has no meaning without an issuer"),
        ((ROLE, ROLE + "[sessions]\nidle_minutes = 1\n"), "idle_minutes: is not a number of at least 3"),
        (
            (ROLE, ROLE + "[sessions]\nabsolute_hours = 24\n"),
            "absolute_hours: is not a number of at least 0.1 and at most 12",
        ),
        ((ROLE, ROLE + "[sessions]\nabsolute_hours = 0.1\n"), "longer than absolute_hours"),
    ],
)
def test_every_fault_is_named(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    text = (ISSUER + ROLE).replace(*change)
    assert text != ISSUER + ROLE
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, text)
    assert any(fault in line for line in caught.value.faults), caught.value.faults


def test_an_issuer_on_this_machine_may_do_without_tls_in_a_test_environment(tmp_path: Path) -> None:
    text = (ISSUER + ROLE).replace("https://id.example.nhs.uk", "http://127.0.0.1:9000")
    issuer = loaded(tmp_path, text).signing_in.issuer
    assert issuer is not None


def test_the_file_that_the_documentation_shows_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text()
    example = page.partition("## Signing in to the console")[2].partition("```toml\n")[2].partition("```")[0]
    found = loaded(tmp_path, example).signing_in
    assert found.issuer is not None
    assert found.issuer.levels
    assert found.rules[0].stated
    assert found.rules[1].role is Role.OPERATOR
