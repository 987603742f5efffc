"""Every populated leaf of a canonical value, for the property that nothing is dropped in silence."""

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass

from gateway.domain.identifiers import NhsNumber, OdsCode, PrescriptionNumber, SnomedCode

_IDENTIFIERS = (NhsNumber, OdsCode, PrescriptionNumber, SnomedCode)

NOT_WRITTEN = (".product.level",)
"""What has no place of its own in the message: the level is a property of the dm+d code."""


def populated(value: object, path: str = "") -> Iterator[str]:
    """Give the canonical path of every leaf that says more than its default."""
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from populated(item, f"{path}[{index}]")
    elif is_dataclass(value) and not isinstance(value, _IDENTIFIERS):
        for one in fields(value):
            inner = getattr(value, one.name)
            default = one.default_factory() if one.default_factory is not MISSING else one.default
            if inner not in (None, "", default):
                yield from populated(inner, f"{path}.{one.name}" if path else one.name)
    elif not path.endswith(NOT_WRITTEN):
        yield path
