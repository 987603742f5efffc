"""The picture of a run shows every party and the books, with nothing of any patient."""

import io
import itertools
from pathlib import Path

from rich.console import Console

from gateway.simulate.behaviours import BEHAVIOURS, TROUBLED, WATCHED
from gateway.simulate.books import COUNTS
from gateway.simulate.display import Display, tell_result
from gateway.simulate.folder import choose_addresses
from gateway.simulate.run import Progress
from gateway.simulate.world import NAMES, PROFILES, Run, World


def drawn(*things: object) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    for thing in things:
        console.print(thing)
    return console.export_text()


async def test_the_picture_names_every_party_and_the_console(tmp_path: Path) -> None:
    run = Run(seed=1, tag="T", anchors=tmp_path / "anchors.pem", journals=tmp_path, visitors=True)
    world = World(run, choose_addresses(PROFILES, BEHAVIOURS))
    display = Display(world, total=8, console_link=lambda: "http://127.0.0.1:8080/console/enter/abc")
    await world.close()
    text = drawn(display.draw(Progress(settled=3, total=8, books=dict.fromkeys(COUNTS, 5), tally={"killed": 2})))
    for ods, name in NAMES.items():
        assert f"{ods} {name}" in text
    for behaviour in WATCHED.values():
        assert behaviour.name in text
    assert "http://127.0.0.1:8080/console/enter/abc" in text
    assert "3/8" in text
    assert "killed 2" in text


def test_the_result_says_whether_the_books_balance() -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    tell_result(console, {"lost": 0}, ())
    assert "The books balance" in console.export_text()
    console = Console(width=100, record=True, file=io.StringIO())
    tell_result(console, {"lost": 1}, ("lost: RX1",))
    text = console.export_text()
    assert "do not balance" in text
    assert "lost: RX1" in text


async def test_a_trust_that_waits_for_people_takes_part_only_where_there_are_some(tmp_path: Path) -> None:
    for visitors in (False, True):
        run = Run(seed=1, tag="T", anchors=tmp_path / "anchors.pem", journals=tmp_path, visitors=visitors)
        world = World(run, choose_addresses(PROFILES, BEHAVIOURS))
        await world.close()
        assert all((ods in world.trusts) is visitors for ods in ("RZD", "RZE"))


async def test_only_who_looks_on_sees_trouble_and_only_one_trust_sends_orders_there(tmp_path: Path) -> None:
    for visitors, chaos in itertools.product((False, True), repeat=2):
        run = Run(seed=1, tag="T", anchors=tmp_path / "a.pem", journals=tmp_path, visitors=visitors, chaos=chaos)
        world = World(run, choose_addresses(PROFILES, BEHAVIOURS))
        await world.close()
        watched = visitors and not chaos
        assert [ods for ods, one in world.providers.items() if one.behaviour.troubled] == [TROUBLED] * watched
        sends = [ods for ods, one in world.trusts.items() if TROUBLED in one.profile.providers]
        assert sends == ["RBA"] if watched else len(sends) > 1
        assert any(one.profile.opening for one in world.trusts.values()) is watched
