"""The runbooks: a page for each kind of alert, its head from the table, and no command in them that does not exist."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway.__main__ import COMMANDS, command_line
from gateway.domain.alert import RUNBOOKS, Soon, card
from gateway.domain.alert_kinds import ALERT_KINDS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / RUNBOOKS
PAGES = sorted(FOLDER.glob("*.md"))
OTHERS = {"README", "gateway-down", "other", "work-waits"}
"""Pages that are of no kind: what no row of a table can say."""
SECTIONS = ("What you see", "What it means for the patient", "What to check", "What to do")
ENDING = ("When to wake somebody", "How it closes")


def commands_in(text: str) -> Iterator[str]:
    """Give every command of a page: lines of its shell blocks, and what stands between backquotes with an option."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        yield from (line for line in block.splitlines() if line.startswith("gateway "))
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    yield from (found for found in re.findall(r"`(gateway [^`…]+)`", prose))


WRITTEN = sorted(
    {(page.stem, command) for page in PAGES for command in commands_in(page.read_text(encoding="utf-8"))}
    | {(kind, command) for kind, row in ALERT_KINDS.items() for command in row.commands}
    | {("operating", command) for command in commands_in((ROOT / "docs/operating.md").read_text(encoding="utf-8"))}
)


@cache
def tree() -> Any:
    """Give the command line with every command in it; its library is typer's own and has no types."""
    return typer.main.get_command(command_line([]))


def test_every_kind_has_its_page_and_every_page_its_kind() -> None:
    pages = {page.stem for page in PAGES}
    assert {row.page or kind for kind, row in ALERT_KINDS.items()} - pages == set()
    assert pages - OTHERS - ALERT_KINDS.keys() == set()


@pytest.mark.parametrize("kind", [kind for kind, row in ALERT_KINDS.items() if not row.page])
def test_the_head_of_a_page_is_what_the_table_says(kind: str) -> None:
    text = (FOLDER / f"{kind}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {kind}\n")
    found = re.search(r"<!-- kind -->\n(.*?)\n<!-- /kind -->", text, re.DOTALL)
    assert found
    assert found[1].strip() == card(ALERT_KINDS[kind]).strip()
    assert tuple(re.findall(r"^## (.*)$", text, re.MULTILINE)) == (*SECTIONS, *ENDING)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_section_is_empty_and_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for heading, body in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE):
        assert body.strip(), heading
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (FOLDER / target).is_file(), target
    for named in re.findall(r"`((?:docs|certs|gateway|adapters)/[\w/.-]+\.\w+)`", text):
        assert (ROOT / named).is_file(), named


def test_the_first_page_lists_every_kind_under_its_urgency() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    paragraphs = [line for line in text.split("\n\n") if line.startswith("**") and "](" in line]
    listed = [re.findall(r"\[([\w-]+)\]", paragraph) for paragraph in paragraphs]
    wanted = [[kind for kind, row in ALERT_KINDS.items() if row.soon is soon and not row.page] for soon in Soon]
    assert listed == wanted


@pytest.mark.parametrize(("page", "command"), WRITTEN)
def test_every_command_exists_with_these_options(page: str, command: str) -> None:
    words = shlex.split(command, comments=True)[1:]
    found = tree()
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]
    if not words:
        return  # named, and not spelt out
    assert not hasattr(found, "commands"), f"{page}: {command}"
    taken = _taken(found, [word for word in words if not word.startswith("[")])
    missing = [param.name for param in found.params if param.required and param.name not in taken]
    named_only = all(word.startswith("-") for word in words)
    assert named_only or not missing, f"{page}: {command} lacks {missing}"


def _taken(command: Any, words: list[str]) -> dict[str, str]:
    """Give the parameters that are stated, each by its name; fails on an option or a word the command does not take."""
    options = {opt: param for param in command.params if param.param_type_name == "option" for opt in param.opts}
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    taken: dict[str, str] = {}
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            assert word in options, f"{word} is no option"
            flag = getattr(options[word], "is_flag", False)
            taken[options[word].name] = "" if flag or not words else words.pop(0)
        else:
            assert arguments, f"{word} is one word too many"
            several = arguments[0].nargs == -1
            taken[(arguments[0] if several else arguments.pop(0)).name] = word
    return taken


def test_the_reading_of_commands_would_notice_a_mistake() -> None:
    close = tree().commands["alert"].commands["close"]
    assert set(_taken(close, ["17", "18", "--reason", "r", "--by", "n"])) == {"numbers", "reason", "by"}
    lift = tree().commands["legal-hold"].commands["lift"]
    for command, wrong in ((close, ["17", "--because", "r"]), (lift, ["17", "18"])):
        with pytest.raises(AssertionError):
            _taken(command, wrong)
    assert len(WRITTEN) > len(ALERT_KINDS)
    assert "doctor" in COMMANDS
