"""The products of a whole dm+d release, read from their file when they are asked for.

A release has several hundred thousand products; as objects they would fill the memory of a small node. Only the place
of each code is held; the file is mapped and belongs to the page cache.
"""

import csv
import mmap
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from gateway.domain.errors import ConfigurationError
from gateway.domain.reference import ProductRow

_LONGEST_CODE = 18


class ProductTable(Mapping[str, ProductRow]):
    """Products by code.

    Args:
        path: `medicines.csv`: a header, then one line a product that begins with its code, a number.
        read: makes a product of a line's values by column.

    Raises:
        ConfigurationError: the table is empty, a line has no code, or a code stands twice.
    """

    def __init__(self, path: Path, read: Callable[[dict[str, str]], ProductRow]) -> None:
        self._read = read
        with path.open("rb") as file:
            self._columns = file.readline().decode().rstrip("\n").split(",")
            self._first = file.tell()
            places = _places(path, self._first, file)
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._codes = array("Q", (code for code, _ in places))
        self._offsets = array("Q", (offset for _, offset in places))

    def __getitem__(self, code: str) -> ProductRow:
        """Give the product of a code, exactly as it is written in the table."""
        if not (code.isascii() and code.isdecimal()) or code[0] == "0" or len(code) > _LONGEST_CODE:
            raise KeyError(code)
        number = int(code)
        at = bisect_left(self._codes, number)
        if at == len(self._codes) or self._codes[at] != number:
            raise KeyError(code)
        offset = self._offsets[at]
        return self._row(self._bytes[offset : self._bytes.find(b"\n", offset)].decode())

    def _row(self, line: str) -> ProductRow:
        return self._read(dict(zip(self._columns, next(csv.reader([line])), strict=True)))

    def __iter__(self) -> Iterator[str]:
        """Give the codes, smallest first."""
        return map(str, self._codes)

    def holding(self, word: str) -> Iterator[ProductRow]:
        """Give the products whose line has a word in it, in whatever case, in the order of the file; not all are read.

        Args:
            word: ASCII letters; anything else is compared as it is.
        """
        seen = -1
        for found in re.finditer(re.escape(word.encode()), self._bytes, re.IGNORECASE):
            start = self._bytes.rfind(b"\n", 0, found.start()) + 1
            if start == seen or start < self._first:
                continue
            seen = start
            line = self._bytes[start : self._bytes.find(b"\n", start)].decode()
            yield self._row(line)

    def __len__(self) -> int:
        """Give the number of products."""
        return len(self._codes)


def _places(path: Path, offset: int, lines: Iterator[bytes]) -> list[tuple[int, int]]:
    places = []
    for line in lines:
        code = line.partition(b",")[0]
        if not code.isdigit() or not line.endswith(b"\n"):
            raise ConfigurationError(f"{path.name}: a line has no code, or ends early")
        places.append((int(code), offset))
        offset += len(line)
    places.sort()
    if not places:
        raise ConfigurationError(f"{path.name}: holds no products")
    for (before, _), (after, _) in pairwise(places):
        if before == after:
            raise ConfigurationError(f"{path.name}: {after} stands twice")
    return places
