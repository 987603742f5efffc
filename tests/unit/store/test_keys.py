"""Keys: made once in development, supplied in production."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.domain.errors import ConfigurationError
from gateway.store.keys import load_or_make
from tests.factories import MOMENT


def test_development_makes_keys_once_and_finds_them_again(tmp_path: Path) -> None:
    first = load_or_make(tmp_path, development=True, now=MOMENT)
    again = load_or_make(tmp_path, development=True, now=MOMENT)
    assert again.key_id == first.key_id
    assert again.anchors == first.anchors


def test_no_key_file_may_be_read_by_others(tmp_path: Path) -> None:
    load_or_make(tmp_path, development=True, now=MOMENT)
    for name in ("seal.key", "authority.key"):
        assert (tmp_path / "keys" / name).stat().st_mode & 0o777 == 0o600
    (tmp_path / "keys" / "seal.key").chmod(0o640)
    with pytest.raises(ConfigurationError, match="0600"):
        load_or_make(tmp_path, development=True, now=MOMENT)


def test_production_lists_every_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_or_make(tmp_path, development=False, now=MOMENT)
    assert len(error.value.faults) == 3
    assert not (tmp_path / "keys").exists()


def test_production_refuses_what_development_made(tmp_path: Path) -> None:
    load_or_make(tmp_path, development=True, now=MOMENT)
    with pytest.raises(ConfigurationError, match="may not be used outside development"):
        load_or_make(tmp_path, development=False, now=MOMENT)


def test_an_old_development_seal_is_replaced_under_the_same_authority(tmp_path: Path) -> None:
    first = load_or_make(tmp_path, development=True, now=MOMENT)
    later = load_or_make(tmp_path, development=True, now=MOMENT + timedelta(days=400))
    assert later.key_id != first.key_id
    assert later.anchors == first.anchors


@pytest.mark.parametrize("lost", ["seal.key", "seal.pem", "authority.key"])
def test_a_crash_while_keys_were_made_is_mended_or_told(tmp_path: Path, lost: str) -> None:
    load_or_make(tmp_path, development=True, now=MOMENT)
    (tmp_path / "keys" / lost).unlink()
    if lost == "authority.key":
        with pytest.raises(ConfigurationError, match="authority's key"):
            load_or_make(tmp_path, development=True, now=MOMENT)
    else:
        assert load_or_make(tmp_path, development=True, now=MOMENT).key_id


def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    load_or_make(tmp_path / "one", development=True, now=MOMENT)
    load_or_make(tmp_path / "two", development=True, now=MOMENT)
    shutil.copy(tmp_path / "two/keys/seal.pem", tmp_path / "one/keys/seal.pem")
    with pytest.raises(ConfigurationError) as error:
        load_or_make(tmp_path / "one", development=True, now=MOMENT)
    assert len(error.value.faults) == 2


def test_an_unreadable_file_is_told_without_a_trace(tmp_path: Path) -> None:
    load_or_make(tmp_path, development=True, now=MOMENT)
    (tmp_path / "keys/seal.key").write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_or_make(tmp_path, development=True, now=MOMENT)


def test_the_key_set_holds_the_public_key_only(tmp_path: Path) -> None:
    ring = load_or_make(tmp_path, development=True, now=MOMENT)
    (key,) = ring.jwks()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert key["kid"] == ring.key_id
    assert "PRIVATE" not in ring.anchors_pem().decode()
