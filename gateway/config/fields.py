"""Reads values out of one TOML table, and notes every fault with its file and key.

A reader never stops at the first fault: it notes it, gives a harmless stand-in, and goes on, so that whoever wrote the
file learns of everything at once. A stand-in is never used, because `load` raises if anything was noted.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from gateway.domain.identifiers import OdsCode

Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=StrEnum)
STAND_IN = OdsCode("XXXXX")
STAND_IN_DAY = date(2000, 1, 1)
LAST_PORT = 65535
_NAMES: dict[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    dict: "a table",
    date: "a date",
}


class Fields:
    """One table of a file.

    Args:
        values: the table.
        where: its file and key, as people will read it: `trusts/RBA.toml: codes[1]`.
        faults: where faults are noted; shared by the whole folder.
    """

    def __init__(self, values: Mapping[str, object], where: str, faults: list[str]) -> None:
        self._values = values
        self._where = where
        self._faults = faults
        self._asked: set[str] = set()

    def fault(self, key: str, text: str) -> None:
        """Note what is wrong with a key."""
        self._faults.append(f"{self._where}: {key}: {text}")

    def has(self, key: str) -> bool:
        """Tell whether the key is there."""
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """Give a text; an absent or empty one is a fault unless there is a default."""
        value = self._take(key, str, default)
        if default is None and value == "":
            self.fault(key, "is empty")
        return value or default or ""

    def flag(self, key: str, *, default: bool) -> bool:
        """Give a true or false."""
        return self._take(key, bool, default) is True

    def whole(self, key: str, default: int, *, least: int = 0, most: int, because: str = "") -> int:
        """Give a whole number from `least` to `most`; where it is more, the fault says `because`."""
        value = self._take(key, int, default)
        if value is not None and value < least:
            self.fault(key, f"is below {least}")
        elif value is not None and value > most:
            self.fault(key, f"is above {most}{because and f': {because}'}")
        return value if value is not None and least <= value <= most else default

    def number(self, key: str, default: float, *, least: float, most: float) -> float:
        """Give a number from `least` to `most`; a whole one will do, and neither `inf` nor `nan`."""
        self._asked.add(key)
        value = self._values.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.fault(key, "is not a number")
            return default
        if not least <= value <= most:
            self.fault(key, f"is not a number of at least {least:g} and at most {most:g}")
            return default
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of texts; none if absent."""
        values: list[object] = self._take(key, list, []) or []
        if not all(isinstance(value, str) and value for value in values):
            self.fault(key, "is not a list of texts")
        return tuple(value for value in values if isinstance(value, str))

    def choice(self, key: str, kind: type[Choice], default: Choice | None = None) -> Choice:
        """Give one of a closed list of words."""
        value = self._take(key, str, default)
        words = [str(word) for word in kind]
        if value is not None and value not in words:
            self.fault(key, f"is not one of {', '.join(words)}")
        return kind(value) if value in words else next(iter(kind))

    def optional_day(self, key: str) -> date | None:
        """Give a date, written as TOML writes one; None if absent."""
        return self._only_date(key, self._take(key, date, None)) if self.has(key) else None

    def day(self, key: str) -> date:
        """Give a date, written as TOML writes one."""
        return self._only_date(key, self._take(key, date, None)) or STAND_IN_DAY

    def days(self, key: str) -> tuple[date, ...]:
        """Give a list of dates; none if absent."""
        values: list[object] = self._take(key, list, []) or []
        if not all(isinstance(value, date) and not isinstance(value, datetime) for value in values):
            self.fault(key, "is not a list of dates")
        return tuple(value for value in values if isinstance(value, date) and not isinstance(value, datetime))

    def ods(self, key: str) -> OdsCode:
        """Give an ODS code."""
        return self._ods(key, self._take(key, str, None))

    def optional_ods(self, key: str) -> OdsCode | None:
        """Give an ODS code, or None if absent."""
        return self.ods(key) if self.has(key) else None

    def ods_list(self, key: str) -> tuple[OdsCode, ...]:
        """Give a list of ODS codes; none if absent."""
        return tuple(self._ods(key, text) for text in self.texts(key))

    def words(self, key: str) -> dict[str, str]:
        """Give a table of texts; empty if absent."""
        values: dict[str, object] = self._take(key, dict, {}) or {}
        for name, value in values.items():
            if not isinstance(value, str):
                self.fault(f"{key}.{name}", "is not a text")
        return {name: value for name, value in values.items() if isinstance(value, str)}

    def table(self, key: str) -> "Fields":
        """Give a table within this one; an empty one if absent."""
        values: dict[str, object] = self._take(key, dict, {}) or {}
        return Fields(values, f"{self._where}: {key}", self._faults)

    def tables(self, key: str) -> "Iterator[Fields]":
        """Give each table of a list of tables; none if absent."""
        values: list[object] = self._take(key, list, []) or []
        for index, value in enumerate(values):
            if isinstance(value, dict):
                yield Fields(value, f"{self._where}: {key}[{index}]", self._faults)
            else:
                self.fault(f"{key}[{index}]", "is not a table")

    def keys(self) -> tuple[str, ...]:
        """Give every key, for a table whose keys are data."""
        return tuple(self._values)

    def done(self) -> None:
        """Note every key that nobody asked for: a misspelt setting must not be a silent default."""
        for key in self._values:
            if key not in self._asked:
                self.fault(key, "is not a setting")

    def _only_date(self, key: str, found: date | None) -> date | None:
        if isinstance(found, datetime):
            self.fault(key, "is not a date: leave the time out")
            return None
        return found

    def _ods(self, key: str, text: str | None) -> OdsCode:
        code = OdsCode.parse(text) if text is not None else STAND_IN
        if code is None:
            self.fault(key, f"{text!r} is not an ODS code")
        return code or STAND_IN

    def _take(self, key: str, kind: type[Value], default: Value | None) -> Value | None:
        self._asked.add(key)
        if key not in self._values:
            if default is None:
                self.fault(key, "is missing")
            return default
        value = self._values[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fault(key, f"is not {_NAMES[kind]}")
            return default
        return value
