"""Hints as they are written down, and what is made of entries that nobody of ours wrote."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identifiers import OdsCode
from gateway.joining.changes import ANYTHING, _changed
from gateway.joining.stream import _hint, entries
from gateway.ports.joining import Changed, Hint

ONE, TWO = OdsCode("VNE51"), OdsCode("VNCEL")


def test_hints_for_one_destination_are_one_entry() -> None:
    hints = [
        Hint(destination=ONE, messages=(UUID(int=1),)),
        Hint(destination=TWO),
        Hint(destination=ONE, messages=(UUID(int=2), UUID(int=3))),
        Hint(destination=None),
    ]
    assert list(entries(hints)) == [
        ("VNE51", " ".join(str(UUID(int=number)) for number in (1, 2, 3))),
        ("VNCEL", ""),
        ("", ""),
    ]


def test_an_entry_names_a_limited_number_of_messages() -> None:
    ((_, messages),) = entries([Hint(destination=ONE, messages=tuple(UUID(int=number) for number in range(500)))])
    assert len(messages.split()) == 64


@given(st.lists(st.uuids(), max_size=64), st.sampled_from([ONE, TWO, None]))
def test_a_hint_comes_back_as_it_was_written(messages: list[UUID], destination: OdsCode | None) -> None:
    ((to, written),) = entries([Hint(destination=destination, messages=tuple(messages))])
    read = _hint("1-0", {"to": to, "messages": written})
    assert read == Hint(destination=destination, messages=tuple(messages), mark="1-0")


@given(st.dictionaries(st.sampled_from(["to", "messages", "other"]), st.text(max_size=200)))
def test_an_entry_of_a_stranger_is_a_hint_at_most(fields: dict[str, str]) -> None:
    read = _hint("1-0", fields)
    assert read.mark == "1-0"
    assert read.destination is None or OdsCode.parse(read.destination.value) == read.destination


@given(st.text(max_size=100))
def test_word_of_a_stranger_says_that_something_moved_at_most(text: str) -> None:
    change = _changed(text)
    assert change == ANYTHING or isinstance(change.subject, UUID)


def test_a_change_may_have_no_tenant() -> None:
    assert _changed(f"{UUID(int=4)} ") == Changed(subject=UUID(int=4))
    assert _changed(f"{UUID(int=4)} RBA") == Changed(subject=UUID(int=4), tenant=OdsCode("RBA"))
