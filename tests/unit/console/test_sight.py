"""Every page that a provider can open shows its own lines and its own time, and nothing of the other provider."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.access.roles import Role
from gateway.domain.identifiers import OdsCode
from tests.contract.store_engines import PROVIDER, TRUST, make_prescription
from tests.contract.test_sight import NEXT, given, moved_on
from tests.doors import NAMES
from tests.unit.console.looking import Looking, looking

WHAT = make_prescription("A", lines=2)
PAGE = f"/console/prescriptions/{WHAT.id}"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Looking]:
    """Give a console over a store in which one line of two went to the next provider."""
    async with looking(tmp_path) as opened:
        await given(opened.exchange, WHAT)
        await moved_on(opened.exchange, WHAT, line=1)
        await opened.enter()
        yield opened


async def everything(console: Looking, who: OdsCode) -> dict[str, str]:
    """Open every page that leads on from the prescription, the lists and the search."""
    console.be(Role.PROVIDER_PHARMACIST, who)
    whole = await console.get(f"{PAGE}?all=yes")
    paths = sorted(set(re.findall(rf'href="({PAGE}/[a-z./0-9]+)', whole)))
    assert len(paths) > 3
    found = {path: await console.get(path) for path in paths}
    return {
        **found,
        PAGE: whole,
        "home": await console.get("/console/"),
        "search": await console.seek(str(WHAT.number)),
    }


@pytest.mark.parametrize(
    ("who", "other", "words"),
    [
        (PROVIDER, NEXT, ("THEY-ASK", "WHY-IT-GOES", "anna")),
        (NEXT, PROVIDER, (NAMES[PROVIDER], "WE-GAVE-IT-UP", "WHY-IT-GOES", "anna")),
    ],
)
async def test_no_page_of_one_provider_names_the_other_or_says_its_words(
    console: Looking, who: OdsCode, other: OdsCode, words: tuple[str, ...]
) -> None:
    for path, whole in (await everything(console, who)).items():
        shown = re.sub(r"<option.*?</option>", "", whole)  # whom a list may be narrowed to is of the configuration
        assert [word for word in (other.value, *words) if word in shown] == [], path


async def test_the_first_provider_reads_how_its_time_ended(console: Looking) -> None:
    console.be(Role.PROVIDER_PHARMACIST, PROVIDER)
    shown = await console.get(PAGE)
    assert "Returned by provider" in shown
    assert "Accepted by provider" in shown
    assert "WE-GAVE-IT-UP" in shown
    assert "Provider has a question" not in shown


@pytest.mark.parametrize("who", [PROVIDER, NEXT])
async def test_a_provider_is_offered_no_act_and_told_whose_it_is(console: Looking, who: OdsCode) -> None:
    console.be(Role.PROVIDER_PHARMACIST, who)
    shown = await console.get(PAGE)
    assert f'href="{PAGE}/correct"' not in shown
    assert "only the trust&#39;s own people do this" in shown
    page = await console.get(f"{PAGE}/correct")
    assert "<strong>This cannot be done now.</strong> It is the trust&#39;s prescription" in page
    assert "Send a corrected prescription from your system" not in page


async def test_the_next_provider_reads_of_one_medicine_alone(console: Looking) -> None:
    console.be(Role.PROVIDER_PHARMACIST, NEXT)
    shown = await console.get(PAGE)
    assert WHAT.lines[1].order_number in shown
    assert WHAT.lines[0].order_number not in shown
    assert "Provider has a question" in shown
    await console.seek(WHAT.lines[0].order_number)
    assert str(WHAT.id) not in console.at


async def test_the_trust_reads_all_of_it(console: Looking) -> None:
    console.be(Role.HOMECARE_PHARMACIST, TRUST)
    shown = await console.get(f"{PAGE}?all=yes")
    assert "WHY-IT-GOES" in shown
    assert "WE-GAVE-IT-UP" in shown
    assert "THEY-ASK" in shown
