"""Domain values to JSON text and back.

Writing is msgspec's: a dataclass becomes an object of all its fields, a decimal its digits as text (trailing zeros
kept), an id, date or time its ISO form, bytes base64. Reading is driven by the type hints of the dataclass; where a
field may hold one of several dataclasses, the names of the members tell which.
"""

import types
import typing
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union
from uuid import UUID

import msgspec

T = TypeVar("T")
_Reader = Callable[[Any], Any]

_SCALARS: Mapping[object, _Reader] = {
    str: lambda value: value,
    int: lambda value: value,
    bool: lambda value: value,
    float: lambda value: value,
    type(None): lambda value: value,
    Decimal: Decimal,
    UUID: UUID,
    date: date.fromisoformat,
    time: time.fromisoformat,
    datetime: datetime.fromisoformat,
    bytes: b64decode,
}


def encode(value: object) -> bytes:
    """Give the JSON text of a domain value, or of a tuple of them."""
    return msgspec.json.encode(value)


def decode(data: bytes | str, kind: type[T]) -> T:
    """Read back what `encode` wrote.

    Args:
        data: the JSON text.
        kind: the dataclass, or `tuple[X, ...]`.

    Raises:
        ValueError: the text is not of this kind. Members that are absent take their defaults, so that text written
            before a field existed can be read.
    """
    try:
        return typing.cast("T", _reader(kind)(msgspec.json.decode(data)))
    except (msgspec.DecodeError, KeyError, TypeError, ArithmeticError) as error:
        raise ValueError(f"not a {kind}") from error


def _reader(hint: Any) -> _Reader:
    return _make_reader(hint)


@cache
def _make_reader(hint: Any) -> _Reader:
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, Union}:
        return _choice(arguments)
    if origin is tuple:
        return _sequence(arguments)
    if is_dataclass(hint) and isinstance(hint, type):
        return _record(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    raise TypeError(f"no reader for {hint}")


def _sequence(arguments: tuple[Any, ...]) -> _Reader:
    if arguments[1:] != (...,):
        readers = [_reader(argument) for argument in arguments]
        return lambda values: tuple(read(value) for read, value in zip(readers, values, strict=True))
    one = _reader(arguments[0])
    return lambda values: tuple(one(value) for value in values)


def _record(kind: type) -> _Reader:
    hints = typing.get_type_hints(kind)
    names = [each.name for each in fields(kind) if each.init]

    @cache
    def readers() -> list[tuple[str, _Reader]]:
        return [(name, _reader(hints[name])) for name in names]  # not before it is read: a kind may hold its own

    def read(value: Any) -> Any:
        return kind(**{name: one(value[name]) for name, one in readers() if name in value})

    return read


def _choice(arguments: tuple[Any, ...]) -> _Reader:
    records = [argument for argument in arguments if is_dataclass(argument)]
    plain = [argument for argument in arguments if argument not in records and argument is not type(None)]
    if len(plain) > 1 or (plain and records):
        raise TypeError(f"cannot tell {arguments} apart")
    members = [(_members(record), _reader(record)) for record in records]

    def read(value: Any) -> Any:
        if value is None:
            return None
        if plain:
            return _reader(plain[0])(value)
        fitting = [one for (needed, known), one in members if needed <= value.keys() <= known]
        if len(fitting) != 1:
            raise TypeError("the members do not tell which kind this is")
        return fitting[0](value)

    return read


def _members(record: Any) -> tuple[set[str], set[str]]:
    known = {each.name for each in fields(record)}
    needed = {each.name for each in fields(record) if each.default is MISSING and each.default_factory is MISSING}
    return needed, known
