"""Development tokens: random, shown once, kept as digests, and never outside development."""

from pathlib import Path

import pytest

from gateway.access.directory import Directory
from gateway.config.development import FILE, equip
from gateway.config.load import load
from gateway.domain.errors import ConfigurationError


def test_everybody_gets_a_token_of_their_own(tmp_path: Path) -> None:
    equipped = equip(load(None), tmp_path, development=True)
    assert equipped.configuration.without_token == ()
    directory = Directory(equipped.configuration.credentials)
    for name, token in equipped.fresh.items():
        principal = directory.authenticate(f"Bearer {token}")
        assert principal is not None
        assert name == f"{principal.kind} {principal.name}"
    assert len(set(equipped.fresh.values())) == len(equipped.fresh) == 14


def test_tokens_outlive_a_restart_and_are_not_shown_again(tmp_path: Path) -> None:
    first = equip(load(None), tmp_path, development=True)
    second = equip(load(None), tmp_path, development=True)
    assert second.fresh == {}
    assert second.configuration == first.configuration


def test_only_digests_are_kept_and_only_for_this_user(tmp_path: Path) -> None:
    fresh = equip(load(None), tmp_path, development=True).fresh
    text = (tmp_path / FILE).read_text()
    assert not any(token in text for token in fresh.values())
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_outside_development_a_caller_without_a_token_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        equip(load(None), tmp_path, development=False)
    assert "trust RBA: has no token_sha256 or token_env" in caught.value.faults
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("damage", ["", "[]", '{"trust RBA": 1}', "{"])
def test_a_damaged_file_is_told_and_not_overwritten(tmp_path: Path, damage: str) -> None:
    (tmp_path / FILE).write_text(damage)
    with pytest.raises(ConfigurationError, match="is damaged"):
        equip(load(None), tmp_path, development=True)
    assert (tmp_path / FILE).read_text() == damage
