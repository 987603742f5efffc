"""The door of the daily lists: each party its own, by its own credential."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import aiohttp
import pytest
from fastapi import FastAPI

from gateway.access.directory import Directory
from gateway.access.principal import Credential, Kind, Principal, digest_of
from gateway.domain.books import DayList, Listed, Side
from gateway.domain.identifiers import OdsCode
from gateway.web import problems
from gateway.web.auth import Callers
from gateway.web.limits import Limits
from gateway.web.reconciliation import Reconciliation
from tests.doors import served

NOW = datetime(2026, 10, 5, 23, 30, tzinfo=UTC)  # already the 6th in London
CALLERS: Mapping[str, Principal] = {
    "trust": Principal(kind=Kind.TRUST, tenant=OdsCode("RBA"), name="RBA"),
    "provider": Principal(kind=Kind.PROVIDER, tenant=OdsCode("VNE51"), name="VNE51"),
    "operator": Principal(kind=Kind.OPERATOR, tenant=None, name="anna"),
}


class Lists:
    async def listed(self, party: OdsCode, *, side: Side, day: date) -> DayList:
        return DayList(party=party, side=side, day=day, rows=(Listed(id="MSG1", digest="ab", state="translated"),))

    async def note_access(self, *, principal: str, action: str, subject: str, now: datetime) -> None:
        assert (principal, action, now) != ("", "", None)
        assert subject


async def get(caller: str, day: str) -> tuple[int, dict[str, object]]:
    credentials = [Credential(principal=who, token_sha256=digest_of(name)) for name, who in CALLERS.items()]
    door = Reconciliation(Lists(), Lists(), Callers(Directory(credentials)), lambda: NOW)
    app = FastAPI()
    for kind, answer in problems.answers(Limits()).items():
        app.add_exception_handler(kind, answer)
    app.add_api_route("/reconciliation/{day}", door.get)
    headers = {"authorization": f"Bearer {caller}"}
    async with (
        served(app) as base,
        aiohttp.ClientSession() as client,
        client.get(f"{base}/reconciliation/{day}", headers=headers) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


@pytest.mark.parametrize(("caller", "party", "side"), [("trust", "RBA", "trust"), ("provider", "VNE51", "provider")])
async def test_a_party_is_given_its_own_list(caller: str, party: str, side: str) -> None:
    status, body = await get(caller, "2026-10-06")
    assert status == 200
    assert (body["party"], body["side"], body["day"]) == (party, side, "2026-10-06")
    assert body["rows"] == [{"id": "MSG1", "epoch": 0, "digest": "ab", "state": "translated"}]


@pytest.mark.parametrize(
    ("caller", "day", "status"),
    [
        ("operator", "2026-10-05", 403),
        ("nobody", "2026-10-05", 401),
        ("trust", "2026-10-07", 400),
        ("trust", "1999-12-31", 400),
        ("trust", "2026-02-30", 400),
        ("trust", "20261005", 400),
        ("trust", "today", 400),
    ],
)
async def test_nobody_else_and_no_other_day(caller: str, day: str, status: int) -> None:
    assert (await get(caller, day))[0] == status
