"""What is archived is what the settings name: a file of the data folder, or a server's database."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.domain.errors import ConfigurationError
from gateway.settings import Settings
from gateway.wiring import archiving
from tests.postgres import database


def test_a_servers_database_is_archived_by_the_same_words(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, database_url=SecretStr(database(tmp_path).url))
    run = archiving.asked(settings, by="anna", before=None, most=5)
    assert archiving.survey(run).chosen == 0
    assert archiving.archive(run).manifest is None
    assert archiving.gaps(settings, ()) == ()


def test_a_folder_without_a_store_has_nothing_to_archive(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with pytest.raises(ConfigurationError, match="holds no store"):
        archiving.survey(archiving.asked(settings, by="anna", before=None, most=5))
    assert archiving.gaps(settings, ()) == ()
