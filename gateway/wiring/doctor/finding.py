"""One thing that was looked at: how it is, and what to do where it is not as it should be."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How it is."""

    GOOD = "good"
    LOOK = "look"
    """A person should look at it in working hours."""
    WRONG = "wrong"
    """A person should act now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one thing.

    Attributes:
        check: what was looked at, in two or three words.
        grade: how it is.
        says: how it is, in words; never patient data, never a secret.
        do: what to do; empty where it is as it should be.
    """

    check: str
    grade: Grade
    says: str
    do: str = ""


def good(check: str, says: str) -> Finding:
    """Give what is as it should be."""
    return Finding(check=check, grade=Grade.GOOD, says=says)


def look(check: str, says: str, do: str) -> Finding:
    """Give what a person should look at in working hours."""
    return Finding(check=check, grade=Grade.LOOK, says=says, do=do)


def wrong(check: str, says: str, do: str) -> Finding:
    """Give what a person should act on now."""
    return Finding(check=check, grade=Grade.WRONG, says=says, do=do)
