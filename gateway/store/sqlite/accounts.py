"""What became of every value that a trust sent, read from one file."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gateway.domain.identifiers import OdsCode
from gateway.store.sql.accounts import Account
from gateway.store.sql.accounts import accounts as read
from gateway.store.sqlite.connection import open_reader


def accounts(path: Path, tenant: OdsCode) -> Iterator[Account]:
    """Give the account of every submission of a trust, oldest first.

    Raises:
        Unavailable: the file cannot be opened, or is no gateway database.
    """
    with closing(open_reader(path)) as reader:
        yield from read(reader, tenant)
