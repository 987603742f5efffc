"""The command line: what each command prints and how it ends."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from gateway.__main__ import main

SHARED = Path(__file__).parents[4] / "shared"
SAMPLES = SHARED / "hl7v2-samples" / "authored-uk"
WRITTEN = "2026-10-06T12:00:00"
"""When the samples are read: the day after most of them were written; they expire."""


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, as `python -m gateway` would."""
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object, **variables: str) -> Done:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["gateway", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Done(int(ended.value.code or 0), told.out, told.err)

    return run


def as_json(run: Run, *arguments: object) -> tuple[dict[str, Any], int]:
    done = run("translate", *arguments, "--at", WRITTEN, "--json")
    assert done.stderr == ""
    return json.loads(done.stdout), done.returncode


def test_the_module_is_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "translate", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Usage: gateway translate" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["serve"],
        ["demo"],
        ["translate"],
        ["dose"],
        ["verify"],
        ["keys"],
        ["migrate"],
        ["config"],
        ["config", "check"],
    ],
)
def test_every_command_explains_itself(run: Run, command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["banana"], ["translate"], ["translate", "absent.hl7"], ["serve", "--only", "x"]]
)
def test_a_wrong_command_line_exits_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["alert", "close", "12", "--by", "a", "--reason", "rung \udcff"], "argument 7 is not UTF-8 text"),
        (["alert", "close", "9" * 23, "--by", "a", "--reason", "rung"], "Invalid value for"),
        (["alerts", "--limit", "9" * 23], "--limit"),
        (["legal-hold", "lift", "9" * 23, "--by", "a", "--reason", "rung"], "Invalid value for"),
        (["archive", "--most", "9" * 23], "--most"),
        (["restore", "b", "--by", "a", "--reason", "lost", "--least-generation", str(2**63)], "--least-generation"),
    ],
)
def test_what_no_record_can_hold_is_refused_as_the_callers_own(run: Run, arguments: list[str], named: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert "the gateway failed" not in done.stderr


def test_wrong_settings_exit_2_with_every_fault_and_no_traceback(run: Run) -> None:
    done = run("keys", GATEWAY_PORT="x", GATEWAY_COLOUR="red")
    assert done.returncode == 2
    assert "GATEWAY_PORT" in done.stderr
    assert "GATEWAY_COLOUR: is not a setting" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demonstration_configuration_is_checked(run: Run) -> None:
    done = run("config", "check")
    assert done.returncode == 0
    assert "X9HGW, test" in done.stdout
    assert "trust        RBA Example Trust: trust-attested, 2 local codes" in done.stdout


def test_a_check_against_a_named_folder_without_a_store_has_judged_nothing_and_is_refused(
    run: Run, tmp_path: Path
) -> None:
    for folder in (tmp_path, tmp_path / "typed-wrongly"):
        done = run("config", "check", "--data", folder)
        assert done.returncode == 2
        assert f"data folder {folder}: holds no store" in done.stderr
    done = run("config", "check", GATEWAY_DATA=str(tmp_path))
    assert done.returncode == 0
    assert f"open lines   none judged: data folder {tmp_path} holds no store" in done.stdout


def test_every_fault_of_a_configuration_folder_is_printed(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    shutil.copytree(str(files("gateway.config").joinpath("demonstration")), folder)
    (folder / "deadlines.toml").unlink()
    (folder / "trusts" / "RZA.toml").write_text('ods = "RZA"\n')
    done = run("config", "check", folder)
    assert done.returncode == 2
    assert "deadlines.toml: is missing" in done.stderr
    assert "trusts/RZA.toml: name: is missing" in done.stderr


@pytest.mark.parametrize("command", [("config", "check"), ("serve",)])
def test_a_deadline_that_nobody_could_reckon_is_refused_before_an_order_needs_it(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    folder = tmp_path / "config"
    shutil.copytree(str(files("gateway.config").joinpath("demonstration")), folder)
    (folder / "deadlines.toml").write_text("[seconds]\nREADY = 90000000000000\n")
    done = run(*command, GATEWAY_CONFIG=str(folder), GATEWAY_DATA=str(tmp_path / "data"))
    assert done.returncode == 2
    assert "deadlines.toml: seconds: READY: is above 31622400: the longest limit is 366 days" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_limit_beyond_the_known_bank_holidays_is_told_and_refuses_nothing(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    shutil.copytree(str(files("gateway.config").joinpath("demonstration")), folder)
    year = datetime.now(UTC).year
    (folder / "calendar.toml").write_text(
        f'source = "s"\nfirst = {year}-01-01\nlast = {year}-12-31\nholidays = [{year}-12-25]\n'
    )
    (folder / "deadlines.toml").write_text('[answers]\ncancel = "260 working days"\n')
    done = run("config", "check", folder)
    assert done.returncode == 0
    assert f"warning      The bank holidays are known from {year}-01-01 to {year}-12-31, and the longest" in done.stdout


def test_an_adapter_that_is_not_installed_is_found_before_anything_runs(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    shutil.copytree(str(files("gateway.config").joinpath("demonstration")), folder)
    file = folder / "providers" / "VDEM3.toml"
    file.write_text(file.read_text().replace('"sandbox"', '"pigeon"'))
    done = run("config", "check", folder)
    assert done.returncode == 2
    assert "provider VDEM3: adapter pigeon is not installed" in done.stderr


def test_keys_are_made_in_development_and_shown_without_the_private_half(run: Run, tmp_path: Path) -> None:
    shown = run("keys", "--data", tmp_path / "data")
    jwks = run("keys", "--data", tmp_path / "data", "--jwks")
    assert shown.returncode == jwks.returncode == 0
    (key,) = json.loads(jwks.stdout)["keys"]
    assert key["kid"] in shown.stdout
    assert "d" not in key


def test_keys_are_not_made_outside_development(run: Run, tmp_path: Path) -> None:
    done = run("keys", "--data", tmp_path / "data", GATEWAY_DEVELOPMENT="false")
    assert done.returncode == 2
    assert "seal.key is missing" in done.stderr


def test_the_store_is_migrated(run: Run, tmp_path: Path) -> None:
    done = run("migrate", "--data", tmp_path / "data")
    assert done.returncode == 0
    assert done.stdout.startswith("schema ")


@pytest.mark.parametrize("content", ["", "{", "[]", "MSH|", '{"resourceType":"Bundle"}'])
def test_verifying_what_is_no_sealed_message_prints_the_checklist_and_exits_2(
    run: Run, tmp_path: Path, content: str
) -> None:
    run("keys", "--data", tmp_path / "data")
    (tmp_path / "anchors").mkdir()
    anchors = run("keys", "--data", tmp_path / "data", "--anchors").stdout
    (tmp_path / "anchors" / "gateway.pem").write_text(anchors)
    (tmp_path / "message.json").write_text(content)
    done = run("verify", tmp_path / "message.json", "--anchors", tmp_path / "anchors")
    assert done.returncode == 2
    assert "NOT VERIFIED" in done.stdout


def test_verifying_without_anchors_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "message.json").write_text("{}")
    done = run("verify", tmp_path / "message.json", "--anchors", tmp_path)
    assert done.returncode == 2
    assert "holds no certificate" in done.stderr


def test_a_dose_is_put_into_words(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "dose.json"
    file.write_text(
        '[{"timing":{"repeat":{"frequency":1,"period":2,"periodUnit":"wk"}},"doseAndRate":[{"doseQuantity":'
        '{"value":40.0,"unit":"milligram","system":"http://unitsofmeasure.org","code":"mg"}}]}]'
    )
    done = run("dose", file)
    assert (done.returncode, done.stdout) == (0, "40.0 milligram - every 2 weeks\n")


@pytest.mark.parametrize("content", ["", "[]", "{", '[{"text":"as before"}]', '[{"colour":"red"}]', "3"])
def test_a_dose_without_words_exits_2_with_the_reason(run: Run, tmp_path: Path, content: str) -> None:
    file = tmp_path / "dose.json"
    file.write_text(content)
    done = run("dose", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip()
    assert "failed" not in done.stderr


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared samples are not beside this checkout")
class TestTranslate:
    @pytest.mark.parametrize("name", ["S01", "S03", "S04", "S09", "S10"])
    def test_a_sample_ends_as_its_expectation_says(self, run: Run, name: str) -> None:
        expected = json.loads((SAMPLES / f"{name}.expected.json").read_text())
        result, code = as_json(run, SAMPLES / f"{name}.hl7")
        for key in ("outcome", "commit", "application"):
            assert result[key] == expected[key], key
        assert {issue["code"] for issue in result["issues"]} == set(expected["issues"])
        assert code == {"translated": 0, "refused": 2, "held": 3}[expected["outcome"]]
        assert bool(result["messages"]) is (expected["outcome"] == "translated")

    def test_a_providers_report_ends_as_its_expectation_says(self, run: Run) -> None:
        expected = json.loads((SAMPLES / "S11.expected.json").read_text())
        result, code = as_json(run, SAMPLES / "S11.hl7", "--after", SAMPLES / "S01.hl7")
        assert {key: result[key] for key in ("outcome", "commit", "application", "issues")} == {
            key: expected[key] for key in ("outcome", "commit", "application", "issues")
        }
        (bundle,) = result["messages"]
        (dispense,) = (entry["resource"] for entry in bundle["entry"])
        stated = {each["path"]: each["value"] for each in expected["assertions"]}
        assert dispense["status"] == stated["MedicationDispense.status"]
        assert dispense["type"]["coding"][0]["code"] == stated["MedicationDispense.type.coding.code"]
        assert str(dispense["quantity"]["value"]) == stated["MedicationDispense.quantity.value"]
        assert result["state"] == stated["state"]
        assert code == 0

    def test_a_report_of_an_order_that_was_not_sent_is_refused(self, run: Run) -> None:
        result, code = as_json(run, SAMPLES / "S11.hl7")
        assert (result["outcome"], result["application"], result["messages"], code) == ("refused", "AE", [], 2)
        assert [issue["code"] for issue in result["issues"]] == ["REPORT_UNBOUND"]

    def test_a_control_id_used_before_for_other_content_is_refused(self, run: Run) -> None:
        expected = json.loads((SAMPLES / "S12.expected.json").read_text())
        result, code = as_json(run, SAMPLES / "S12.hl7", "--after", SAMPLES / "S01.hl7")
        assert (result["outcome"], result["commit"], result["application"]) == ("refused", "CA", "AE")
        assert [issue["code"] for issue in result["issues"]] == expected["issues"]
        assert code == 2

    def test_the_same_bytes_again_are_a_duplicate(self, run: Run) -> None:
        result, code = as_json(run, SAMPLES / "S01.hl7", "--after", SAMPLES / "S01.hl7")
        assert (result["outcome"], result["application"], code) == ("duplicate", "AA", 0)
        assert result["messages"] == []

    def test_the_trace_names_the_input_and_the_output_and_leaves_nothing_out(self, run: Run) -> None:
        result, _ = as_json(run, SAMPLES / "S01.hl7", "--trace")
        assert result["unaccounted"] == []
        assert result["unexplained"] == []
        doses = [row for row in result["trace"] if row["target"].endswith("dose.value")]
        assert doses
        assert doses[0]["source"].startswith("RXE[1]-3")
        assert any("doseQuantity.value" in path for path in doses[0]["fhir"])

    def test_a_person_gets_the_message_or_an_operation_outcome(self, run: Run) -> None:
        good = run("translate", SAMPLES / "S01.hl7", "--at", WRITTEN)
        assert json.loads(good.stdout)["resourceType"] == "Bundle"
        bad = run("translate", SAMPLES / "S09.hl7")
        outcome = json.loads(bad.stdout)
        assert outcome["resourceType"] == "OperationOutcome"
        assert outcome["issue"][0]["expression"][0].startswith("PID[1]-3")

    def test_a_trust_that_is_not_configured_is_refused_by_name(self, run: Run) -> None:
        done = run("translate", SAMPLES / "S01.hl7", "--trust", "RX9")
        assert done.returncode == 2
        assert "--trust RX9: is not a trust of the configuration" in done.stderr

    def test_another_trust_than_the_message_names_is_a_mismatch(self, run: Run) -> None:
        result, _ = as_json(run, SAMPLES / "S01.hl7", "--trust", "RZA")
        assert "SENDER_MISMATCH" in {issue["code"] for issue in result["issues"]}

    def test_a_sender_nobody_knows_is_taken_at_its_word(self, run: Run, tmp_path: Path) -> None:
        file = tmp_path / "other.hl7"
        file.write_bytes((SAMPLES / "S01.hl7").read_bytes().replace(b"|EPMA|RBA|", b"|EPMA|RX1|"))
        result, _ = as_json(run, file)
        assert "SENDER_MISMATCH" not in {issue["code"] for issue in result["issues"]}


@pytest.mark.parametrize("content", [b"", b"\x00", b"hello", b"<a/>", b"<a", b"{}", b"[", b"MSH", b"\xff\xfe"])
def test_whatever_is_given_is_answered_without_a_traceback(run: Run, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "input"
    file.write_bytes(content)
    result, code = as_json(run, file)
    assert (result["outcome"], result["messages"], code) == ("refused", [], 2)
    assert result["issues"]


def test_a_check_names_the_drug_map_that_the_release_does_not_know(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    shutil.copytree(Path(str(files("gateway.config").joinpath("demonstration"))), folder)
    with (folder / "trusts" / "RBA.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[[codes]]\nkind = "drug"\ncode = "MTX"\ntext = "Methotrexate 25mg/0.5ml"\napproved_by = ["One", "Two"]\n'
            'target = { system = "http://snomed.info/sct", code = "15517911000001104", display = "Methotrexate" }\n'
            '[[z_fields]]\nfield = "ZPO-3"\ntarget = "homecare.tier"\napproved_by = ["One", "Two"]\n'
        )
    done = run("config", "check", folder)
    assert done.returncode == 2
    assert "RBA: drug code MTX: its words name another strength than release" in done.stderr
