"""How long a provider needs for a supply, as its file states it."""

import shutil
from contextlib import closing
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import apsw
import pytest

from gateway.config.load import load
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.store.sqlite.enquiries import SqliteEnquiries
from gateway.store.sqlite.store import SqliteStore
from gateway.wiring.build import SystemClock
from gateway.wiring.standing import adopt

VNE51, VNCEL = OdsCode("VNE51"), OdsCode("VNCEL")


def folder(where: Path, **days: int | str) -> Path:
    made = Path(shutil.copytree(str(files("gateway.config") / "demonstration"), where))
    for ods, said in days.items():
        file = made / "providers" / f"{ods}.toml"
        file.write_text(f"lead_time_days = {said}\n" + file.read_text("utf-8"), "utf-8")
    return made


def test_it_is_read_from_the_providers_file_and_is_nobodys_where_none_states_it(tmp_path: Path) -> None:
    known = load(folder(tmp_path / "config", VNE51=3)).routing.providers
    assert (known[VNE51].lead_time, known[VNCEL].lead_time) == (timedelta(days=3), None)


@pytest.mark.parametrize(("said", "fault"), [("0", "below 1"), ("29", "above 28"), ('"3"', "whole number")])
def test_what_cannot_be_meant_is_a_fault(tmp_path: Path, said: str, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=f"VNE51.toml: lead_time_days: .*{fault}"):
        load(folder(tmp_path / "config", VNE51=said))


async def test_it_is_in_force_from_the_next_start_whatever_release_ran_before(tmp_path: Path) -> None:
    file = tmp_path / "gateway.db"
    clock = SystemClock()
    store, enquiries = SqliteStore.open(file, now=clock.now), SqliteEnquiries.open(file)
    stated = load(folder(tmp_path / "one", VNE51=3))
    silent = load(folder(tmp_path / "two"))
    kept = []
    await store.adopt_configuration(stated.digest, stated.version, checked_lines=0)  # by a release that keeps none
    for configuration in (stated, silent):
        await adopt(configuration, store, enquiries, clock)
        with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as looking:
            kept.append(looking.execute("SELECT provider, days FROM lead_time").fetchall())
    assert kept == [[("VNE51", 3)], []]
    await enquiries.close()
    await store.close()
