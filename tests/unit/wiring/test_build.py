"""What stands between settings and a running gateway."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.domain.errors import ConfigurationError
from gateway.settings import Settings, read_settings
from gateway.sign.verify import read_anchors
from gateway.store.keys import load_or_make
from gateway.wiring.build import ANCHORS, build, claim_data_folder, migrate_store, publish_anchors, read_keys
from gateway.wiring.doors import open_socket

_HOLD = """
import sys
from pathlib import Path
from gateway.wiring.build import claim_data_folder
claim_data_folder(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(data=tmp_path / "data", port=0, mllp_port=0)


def test_the_data_folder_is_made_for_this_user_alone(tmp_path: Path) -> None:
    os.close(claim_data_folder(tmp_path / "a" / "data"))
    assert (tmp_path / "a" / "data").stat().st_mode & 0o777 == 0o700


def test_a_second_gateway_on_one_data_folder_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(ConfigurationError, match="another gateway is using it"):
            claim_data_folder(tmp_path)
        first.kill()
    os.close(claim_data_folder(tmp_path))


def test_a_data_folder_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="data folder"):
        claim_data_folder(tmp_path / "file" / "data")


def test_a_port_in_use_is_a_fault() -> None:
    taken = open_socket("127.0.0.1", 0)
    try:
        with pytest.raises(ConfigurationError, match="cannot listen on"):
            open_socket("127.0.0.1", taken.getsockname()[1])
    finally:
        taken.close()


def test_the_anchors_are_published_for_offline_verification(tmp_path: Path) -> None:
    keys = load_or_make(tmp_path, development=True)
    publish_anchors(keys, tmp_path)
    assert read_anchors((tmp_path / ANCHORS).read_bytes()) == keys.anchors


async def test_a_gateway_is_built_from_nothing(settings: Settings) -> None:
    gateway = build(settings, broken=lambda: None)
    try:
        assert len(gateway.fresh) == 14
        assert set(gateway.destinations) == set(gateway.configuration.routing.providers)
        assert gateway.directory.authenticate(f"Bearer {gateway.fresh['trust RBA']}") is not None
        assert await gateway.enquiries.ready()
    finally:
        await gateway.enquiries.close()
        await gateway.store.close()
        for destination in gateway.destinations.values():
            await destination.close()
        os.close(gateway.lock)


def test_keys_made_once_are_the_keys_of_the_next_start(settings: Settings) -> None:
    assert read_keys(settings).key_id == read_keys(settings).key_id


def test_outside_development_nothing_is_made_up(tmp_path: Path) -> None:
    settings = read_settings(data=tmp_path / "data", development=False)
    with pytest.raises(ConfigurationError, match="has no token"):
        build(settings, broken=lambda: None)


def test_a_store_is_migrated_where_there_is_none(settings: Settings) -> None:
    assert migrate_store(settings) == migrate_store(settings) > 0
