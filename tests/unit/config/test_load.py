"""The configuration folder: what it says, and how its faults are told."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.access.principal import Kind, digest_of
from gateway.config.load import load
from gateway.domain.custody import CUSTODY, Holder
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.partner import Environment, SignaturePolicy

RBA, RZC, VNE51 = OdsCode("RBA"), OdsCode("RZC"), OdsCode("VNE51")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = Path(str(files("gateway.config").joinpath("demonstration")))
    return Path(shutil.copytree(source, tmp_path / "config"))


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def _faults(folder: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    return caught.value.faults


def test_the_demonstration_loads_and_is_a_test_environment() -> None:
    configuration = load(None)
    assert configuration.environment is Environment.TEST
    assert configuration.organisation == OdsCode("X9HGW")
    assert set(map(str, configuration.trusts)) == {"RBA", "RZA", "RZB", "RZC", "RZD", "RZE"}
    assert set(map(str, configuration.routing.providers)) == {
        "VNE51", "VNCEL", "VNFKT", "VN6XW", "VDEM1", "VDEM2", "VDEM3",
    }  # fmt: skip
    assert configuration.trusts[RZC].signature_policy is SignaturePolicy.PAPER_FOLLOWS


def test_a_copy_of_the_folder_loads_to_the_same_configuration(folder: Path) -> None:
    assert load(folder) == load(None)


def test_the_age_of_the_reference_data_is_configured(folder: Path) -> None:
    assert load(folder).reference_days == 42
    _edit(folder / "gateway.toml", "oldest_days = 42", "oldest_days = 7")
    assert load(folder).reference_days == 7


def test_the_digest_changes_with_any_byte_and_any_name(folder: Path) -> None:
    digests = {load(folder).digest}
    _edit(folder / "routes.toml", "# Each trust", "# every trust")
    digests.add(load(folder).digest)
    (folder / "trusts" / "RZA.toml").rename(folder / "trusts" / "north.toml")
    digests.add(load(folder).digest)
    assert len(digests) == 3


def test_a_local_code_is_mapped_by_its_two_approvers() -> None:
    entry = load(None).trusts[RBA].entry("unit", "PFS", system="99LOC")
    assert entry is not None
    assert entry.target.code == "3318611000001103"
    assert len(set(entry.approved_by)) == 2


def test_the_files_hold_no_token_and_every_caller_is_known_to_lack_one() -> None:
    configuration = load(None)
    assert configuration.credentials == ()
    assert {principal.kind for principal in configuration.without_token} == set(Kind) - {Kind.PERSON}
    assert len(configuration.without_token) == 1 + len(configuration.trusts) + len(configuration.routing.providers)


def test_a_token_may_be_given_by_its_digest_or_by_a_variable(folder: Path) -> None:
    _edit(folder / "trusts" / "RBA.toml", "systems", f'token_sha256 = "{digest_of("a")}"\nsystems')
    _edit(folder / "trusts" / "RZA.toml", "sites", 'token_env = "RZA_TOKEN"\nsites')
    _edit(folder / "providers" / "VNE51.toml", "endpoint", 'send_token_env = "TO_VNE51"\nendpoint')
    configuration = load(folder, environ={"RZA_TOKEN": "b", "TO_VNE51": "c"})
    assert {credential.principal.name: credential.token_sha256 for credential in configuration.credentials} == {
        "RBA": digest_of("a"),
        "RZA": digest_of("b"),
    }
    assert configuration.routing.providers[VNE51].token == "c"


def test_deadlines_are_real_time_divided_by_the_scale_and_never_become_nought(folder: Path) -> None:
    _edit(folder / "gateway.toml", "time_scale = 1", "time_scale = 3600")
    _edit(folder / "deadlines.toml", "SENT = 14400", "SENT = 7200\nACCEPTED = 10")
    custody = load(folder).custody
    assert custody[LineState.SENT].limit_seconds == 2
    assert custody[LineState.ACCEPTED].limit_seconds == 1
    assert custody[LineState.QUERIED].limit_seconds == 24
    assert custody[LineState.HELD].limit_seconds == 0
    assert custody[LineState.CLOSED].limit_seconds is None
    assert custody[LineState.SENT].holder is Holder.PROVIDER


def test_the_demonstration_keeps_the_holders_of_the_lifecycle_table() -> None:
    assert {state: row.holder for state, row in load(None).custody.items()} == {
        state: row.holder for state, row in CUSTODY.items()
    }


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("gateway.toml", 'organisation = "X9HGW"', 'organisation = "x9"', "organisation: 'x9' is not an ODS code"),
        ("gateway.toml", 'organisation = "X9HGW"', "", "organisation: is missing"),
        ("gateway.toml", 'environment = "test"', 'environment = "prod"', "environment: is not one of live, test"),
        ("gateway.toml", "oldest_days = 42", "oldest_days = 0", "reference: oldest_days: is"),
        ("gateway.toml", "oldest_days = 42", "oldest = 42", "reference: oldest: is"),
        ("gateway.toml", "time_scale = 1", "time_scale = 0.5", "time_scale: is not a number of at least 1"),
        ("gateway.toml", "time_scale = 1", "time_scale = nan", "time_scale: is not a number of"),
        ("gateway.toml", "time_scale = 1", "time_scale = inf", "time_scale: is not a number of"),
        ("gateway.toml", "time_scale = 1", 'time_scale = "1"', "time_scale: is not a number"),
        ("gateway.toml", "attempts = 500", "attempts = true", "retry: attempts: is not a whole number"),
        ("gateway.toml", "lease_seconds = 60", "lease_seconds = 15", "must be longer than the slowest provider"),
        ("gateway.toml", "attempts = 500", "atempts = 500", "retry: atempts: is not a setting"),
        ("gateway.toml", "[retry]", "[retry", "gateway.toml: is not TOML"),
        ("trusts/RBA.toml", 'environment = "test"', 'environment = "live"', "is live, but this gateway is test"),
        ("trusts/RBA.toml", 'on_conflict = "hold"', 'on_conflict = "guess"', "on_conflict: is not one of hold, refuse"),
        ("trusts/RBA.toml", '"Example Approver Two"', '"Example Approver One"', "codes[0]: approved_by: needs two"),
        ("trusts/RBA.toml", "3318611000001103", "3318611000001104", "target: code: is not a SNOMED CT or dm+d code"),
        ("trusts/RBA.toml", 'kind = "unit"', 'kind = "units"', "codes[0]: kind: is not one of drug, unit"),
        ("trusts/RBA.toml", 'code = "PFS"', 'code = "PFS"\nvalid_from = "2026"', "codes[0]: valid_from: is not a date"),
        (
            "trusts/RBA.toml",
            'code = "PFS"',
            'code = "PFS"\nvalid_to = 2026-02-01T00:00:00',
            "codes[0]: valid_to: is not a date: leave the time out",
        ),
        (
            "trusts/RBA.toml",
            'code = "PFS"',
            'code = "PFS"\nvalid_from = 2026-02-01\nvalid_to = 2026-01-31',
            "codes[0]: valid_to: is before valid_from",
        ),
        ("trusts/RBA.toml", 'kind = "unit"', 'kind = "drug"', "codes[0]: text: is missing"),
        (
            "trusts/RBA.toml",
            ('kind = "unit"\ncode = "PFS"\nsystem = "99LOC"\n'
            'target = { system = "http://snomed.info/sct", code = "3318611000001103", display = "pre-filled'),
            ('kind = "drug"\ncode = "PFS"\ntext = "Drug 50mg"\nsystem = "99LOC"\n'
            'target = { system = "http://snomed.info/sct", code = "3318611000001103", display = "Drug 500mg'),
            "codes[0]: text: names another strength than the target",
        ),
        ("trusts/RBA.toml", "sites = [", "sites = [1, ", "sites: is not a list of texts"),
        ("trusts/RZA.toml", 'ods = "RZA"', 'ods = "RBA"', "RBA is already a code of trust RBA"),
        ("trusts/RZA.toml", '"RZA01"', '"RBA11"', "RBA11 is already a code of trust RBA"),
        ("trusts/RZA.toml", 'name = "Example North"', 'name = ""', "name: is empty"),
        ("trusts/RZA.toml", "sites", 'token_env = "ABSENT"\nsites', "the variable ABSENT is not set"),
        ("trusts/RZA.toml", "sites", 'token_sha256 = "secret"\nsites', "token_sha256: is not a SHA-256"),
        ("trusts/RZA.toml", "sites", 'mllp_certificates_sha256 = ["A"]\nsites', "certificates_sha256: is not a SHA"),
        ("trusts/RZA.toml", "sites", 'tells = { kind = "fax" }\nsites', "tells: kind: is not one of mllp, http"),
        ("providers/VNE51.toml", 'ods = "VNE51"', 'ods = "VNCEL"', "VNCEL is already a provider"),
        ("providers/VNE51.toml", "http://127.0.0.1:9151/messages", "127.0.0.1", "is not an http or https address"),
        ("providers/VNE51.toml", 'adapter = "fhir_push"', "adapter = 3", "adapter: is not a text"),
        ("routes.toml", 'provider = "VNE51"', 'provider = "VNE99"', "routes[0]: provider: VNE99 is not a provider"),
        ("routes.toml", 'trust = "RBA"', 'trust = "RZZ"', "routes[0]: trust: RZZ is not a trust"),
        ("routes.toml", 'trust = "RZA"', 'trust = "RBA"', "routes[1]: provider: the same conditions lead elsewhere"),
        ("routes.toml", 'scheme = "manufacturer"', 'scheme = "gift"', "scheme: is not one of icb, manufacturer"),
        ("routes.toml", "24590211000001100", "24590211000001101", "product: is not a dm+d code"),
        ("deadlines.toml", "SENT =", "SEND =", "seconds: SEND: is not a state with a deadline"),
        ("deadlines.toml", "SENT =", "CLOSED =", "seconds: CLOSED: is not a state with a deadline"),
        ("deadlines.toml", "SENT = 14400", "SENT = -1", "seconds: SENT: is below 0"),
    ],
)  # fmt: skip
def test_a_fault_names_its_file_and_key(folder: Path, file: str, old: str, new: str, fault: str) -> None:
    _edit(folder / file, old, new)
    assert any(fault in line and ".toml" in line for line in _faults(folder)), _faults(folder)


def test_every_fault_is_told_at_once(folder: Path) -> None:
    _edit(folder / "gateway.toml", 'organisation = "X9HGW"', "")
    _edit(folder / "trusts" / "RZA.toml", 'name = "Example North"', "colour = 1")
    (folder / "deadlines.toml").unlink()
    faults = _faults(folder)
    assert "deadlines.toml: is missing" in faults
    assert "gateway.toml: organisation: is missing" in faults
    assert "trusts/RZA.toml: name: is missing" in faults
    assert "trusts/RZA.toml: colour: is not a setting" in faults


def test_two_callers_may_not_share_a_token(folder: Path) -> None:
    for trust in ("RZA", "RZB"):
        _edit(folder / "trusts" / f"{trust}.toml", "sites", f'token_sha256 = "{digest_of("a")}"\nsites')
    assert _faults(folder) == ("RZA and RZB have the same token",)


def test_a_client_certificate_belongs_to_one_trust(folder: Path) -> None:
    line = f'mllp_certificates_sha256 = ["{digest_of("a")}"]\nsites'
    _edit(folder / "trusts" / "RZA.toml", "sites", line)
    assert load(folder).certificates == {digest_of("a"): OdsCode("RZA")}
    _edit(folder / "trusts" / "RZB.toml", "sites", line)
    assert _faults(folder) == ("trusts/RZB.toml: mllp_certificates_sha256: is also a certificate of RZA",)


def test_a_live_gateway_sends_by_https_alone_and_in_real_time(folder: Path) -> None:
    for file in folder.rglob("*.toml"):
        file.write_text(file.read_text().replace('environment = "test"', 'environment = "live"'))
    _edit(folder / "gateway.toml", "time_scale = 1", "time_scale = 60")
    faults = _faults(folder)
    assert "gateway.toml: time_scale: must be 1: this gateway is live" in faults
    assert "providers/VNE51.toml: endpoint: must be https: this gateway is live" in faults


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    assert _faults(tmp_path / "none")[0].endswith("is not a folder")


def test_an_empty_folder_lists_everything_it_lacks(tmp_path: Path) -> None:
    faults = _faults(tmp_path)
    assert {"gateway.toml: is missing", "trusts: holds no partner", "providers: holds no partner"} <= set(faults)
