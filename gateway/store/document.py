"""Domain values to JSON text and back.

Writing is msgspec's: a dataclass becomes an object of all its fields, a decimal its digits as text (trailing zeros
kept), an id, date or time its ISO form, bytes base64. Reading is msgspec's too, for every kind that it can tell from
its type hints. It cannot where a field may hold one of several dataclasses: those, and what holds them, are put
together here, and the names of the members tell which.
"""

import typing
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")
_Text = bytes | str | msgspec.Raw
_Reader = Callable[[Any], Any]

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_NULL: Final = b"null"


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
        return typing.cast("T", _reader(kind)(data))
    except (msgspec.DecodeError, KeyError, TypeError, ArithmeticError) as error:
        raise ValueError(f"not a {kind}") from error


def _reader(hint: Any) -> _Reader:
    return _make_reader(hint)


@cache
def _make_reader(hint: Any) -> _Reader:
    return msgspec.json.Decoder(hint).decode if _is_plain(hint) else _put_together(hint)


def _put_together(hint: Any) -> _Reader:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return _sequence(arguments)
    if is_dataclass(hint) and isinstance(hint, type):
        return _record(hint)
    return _choice(arguments)


def _sequence(arguments: tuple[Any, ...]) -> _Reader:
    if arguments[1:] != (...,):
        readers = [_reader(argument) for argument in arguments]
        return lambda text: tuple(read(one) for read, one in zip(readers, _ELEMENTS.decode(text), strict=True))
    each = _reader(arguments[0])
    return lambda text: tuple(each(one) for one in _ELEMENTS.decode(text))


def _record(kind: type) -> _Reader:
    """Give what reads a dataclass that msgspec alone cannot: what it can tell it reads in one go, the rest as text."""
    hints = typing.get_type_hints(kind)
    names = [each.name for each in fields(kind) if each.init]

    @cache  # and not before it is read: a kind may hold its own
    def parts() -> tuple[_Reader, list[str], list[tuple[str, _Reader]]]:
        plain = [name for name in names if _is_plain(hints[name])]
        apart = [(name, _reader(hints[name])) for name in names if name not in plain]
        members = [(name, hints[name], msgspec.UNSET) for name in plain]
        members += [(name, msgspec.Raw, msgspec.UNSET) for name, _ in apart]
        return msgspec.json.Decoder(msgspec.defstruct(kind.__name__, members)).decode, plain, apart

    def read(text: _Text) -> Any:
        whole, plain, apart = parts()
        found = whole(text)
        given = {name: said for name in plain if (said := getattr(found, name)) is not msgspec.UNSET}
        for name, one in apart:
            if (said := getattr(found, name)) is not msgspec.UNSET:
                given[name] = one(said)
        return kind(**given)

    return read


@cache
def _is_plain(hint: Any) -> bool:
    """Tell whether msgspec can read a kind by itself."""
    try:
        msgspec.json.Decoder(hint)
    except TypeError:  # it cannot tell several dataclasses apart
        return False
    return True


def _choice(arguments: tuple[Any, ...]) -> _Reader:
    records = [argument for argument in arguments if is_dataclass(argument)]
    if set(arguments) - {*records, type(None)}:
        raise TypeError(f"cannot tell {arguments} apart")
    kinds = [(_members(record), _reader(record)) for record in records]

    def read(text: msgspec.Raw) -> Any:
        if bytes(text) == _NULL and type(None) in arguments:
            return None
        said = _MEMBERS.decode(text).keys()
        fitting = [one for (needed, known), one in kinds if needed <= said <= known]
        if len(fitting) != 1:
            raise TypeError("the members do not tell which kind this is")
        return fitting[0](text)

    return read


def _members(record: Any) -> tuple[set[str], set[str]]:
    known = {each.name for each in fields(record)}
    needed = {each.name for each in fields(record) if each.default is MISSING and each.default_factory is MISSING}
    return needed, known
