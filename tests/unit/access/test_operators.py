"""Named people: added once, recognised by a secret that is kept nowhere, never replaced by another."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.access.operators import FILE, NotRecognisedError, Operators
from gateway.access.policy import Action, allow
from gateway.access.principal import Kind, Principal
from gateway.domain.errors import ConfigurationError

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ANNA = Principal(kind=Kind.OPERATOR, tenant=None, name="anna")


@pytest.fixture
def operators(tmp_path: Path) -> Operators:
    return Operators(tmp_path)


def test_a_person_is_recognised_by_name_and_secret(operators: Operators) -> None:
    secret = operators.add("anna", person="Anna Example", by=None, now=NOW)
    assert operators.operator("anna", secret) == ANNA


def test_the_secret_is_kept_nowhere_and_the_file_is_closed(operators: Operators, tmp_path: Path) -> None:
    secret = operators.add("anna", person="Anna Example", by=None, now=NOW)
    assert secret not in (tmp_path / FILE).read_text("utf-8")
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    assert secret not in repr(operators.everyone())
    assert "Anna Example" not in repr(operators.everyone())


@pytest.mark.parametrize(("name", "secret"), [("anna", ""), ("anna", "other"), ("ben", "{}"), ("", ""), ("ben", "")])
def test_nobody_else_is_recognised(operators: Operators, name: str, secret: str) -> None:
    real = operators.add("anna", person="Anna Example", by=None, now=NOW)
    with pytest.raises(NotRecognisedError):
        operators.operator(name, secret.format(real))


def test_nobody_is_recognised_where_there_are_no_operators(operators: Operators) -> None:
    with pytest.raises(NotRecognisedError):
        operators.operator("anna", "")


def test_every_operator_but_the_first_is_added_by_one_in_force(operators: Operators) -> None:
    operators.add("anna", person="Anna Example", by=None, now=NOW)
    with pytest.raises(ConfigurationError, match="an operator in force must add it"):
        operators.add("ben", person="Ben Example", by=None, now=NOW)
    operators.add("ben", person="Ben Example", by=ANNA, now=NOW)
    assert [(one.name, one.added_by) for one in operators.everyone()] == [("anna", ""), ("ben", "anna")]


@pytest.mark.parametrize("person", ["", " ", "Ben\u200b Example", "Ben\nExample", "\u202eelpmaxE neB"])
def test_a_person_has_a_name_that_reads_as_it_is_kept(operators: Operators, person: str) -> None:
    with pytest.raises(ConfigurationError, match=r"credential it is|write it plainly"):
        operators.add("ben", person=person, by=None, now=NOW)


def test_one_person_has_one_credential(operators: Operators) -> None:
    operators.add("anna", person="Anna Example", by=None, now=NOW)
    with pytest.raises(ConfigurationError, match="one person has one credential"):
        operators.add("anna2", person=" anna  EXAMPLE ", by=ANNA, now=NOW)


@pytest.mark.parametrize("name", ["", "a", "Anna", "9a", "a b", "a" * 33, "anna\n", "../x"])
def test_a_name_that_the_audit_could_not_carry_is_not_added(operators: Operators, name: str) -> None:
    with pytest.raises(ConfigurationError, match="small letters"):
        operators.add(name, person="Anna Example", by=None, now=NOW)


def test_a_removed_person_may_not_act_and_the_name_is_not_given_again(operators: Operators) -> None:
    operators.add("anna", person="Anna Example", by=None, now=NOW)
    secret = operators.add("ben", person="Ben Example", by=ANNA, now=NOW)
    operators.remove("ben", by=ANNA, now=NOW)
    with pytest.raises(NotRecognisedError):
        operators.operator("ben", secret)
    with pytest.raises(ConfigurationError, match="never given to another"):
        operators.add("ben", person="Benedict Other", by=ANNA, now=NOW)
    assert operators.everyone()[1].removed_by == "anna"


def test_the_last_operator_stays(operators: Operators) -> None:
    operators.add("anna", person="Anna Example", by=None, now=NOW)
    with pytest.raises(ConfigurationError, match="the last operator"):
        operators.remove("anna", by=ANNA, now=NOW)


def test_a_file_that_others_may_read_is_not_used(operators: Operators, tmp_path: Path) -> None:
    secret = operators.add("anna", person="Anna Example", by=None, now=NOW)
    (tmp_path / FILE).chmod(0o640)
    with pytest.raises(ConfigurationError, match="0600"):
        operators.operator("anna", secret)


@pytest.mark.parametrize("damage", ["{", "[]", '{"anna": {}}', '{"anna": 1}', json.dumps({"anna": {"name": "x"}})])
def test_a_damaged_file_is_a_fault_and_not_an_empty_list(operators: Operators, tmp_path: Path, damage: str) -> None:
    (tmp_path / FILE).write_text(damage, "utf-8")
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(ConfigurationError, match="damaged"):
        operators.everyone()


@pytest.mark.parametrize("action", [Action.APPOINT, Action.CLOSE_ALERT, Action.RESOLVE, Action.PAUSE])
def test_only_operators_act(action: Action) -> None:
    assert allow(ANNA, action, None)
    assert not allow(None, action, None)
