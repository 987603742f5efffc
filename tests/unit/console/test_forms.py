"""What a browser sent in a form, given back where it could not be dealt with."""

import pytest

from gateway.console.forms import Returned
from gateway.console.site import Form


def test_only_what_a_person_wrote_is_called_typed() -> None:
    sent = Returned(
        fields={
            "csrf": ("a-token",),
            "item": ("7:Ben Example",),
            "only": ("8:Ben Example",),
            "seen": ("0b9f READY 1 4",),
            "issue": ("0b9f 2",),
            "reason": ("They open at noon.",),
        },
        taken=False,
        address="/console/work/7/put-off",
    )
    assert sent.typed == ("They open at noon.",)


@pytest.mark.parametrize("typed", ["", "  ", "\u200b", "\u2060\u3164\u2003", "\x01"])
def test_what_nobody_can_see_was_not_written(typed: str) -> None:
    assert not Form(values={"reason": (typed,)}).one("reason")
    assert Form(values={"reason": (f"{typed} Rung. ",)}).one("reason").endswith("Rung.")
