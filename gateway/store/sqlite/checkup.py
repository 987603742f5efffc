"""What a store of one file says of its own health, read beside whoever writes: for `gateway doctor`."""

from contextlib import closing
from datetime import datetime
from pathlib import Path

import apsw

from gateway.domain.errors import Unavailable
from gateway.store.sql.checkup import Checkup, read
from gateway.store.sql.schema import Schema
from gateway.store.sqlite.connection import open_reader, settings_of
from gateway.store.sqlite.schema import schema_in


def schema_of(path: Path) -> Schema:
    """Tell how the schema of a store stands to this version.

    Raises:
        Unavailable: the file cannot be opened, or is no store of ours.
    """
    with closing(open_reader(path)) as reader:
        return schema_in(reader)


def checkup(path: Path, *, now: datetime) -> Checkup:
    """Read how a store of this version's schema stands.

    Raises:
        Unavailable: it cannot be read.
    """
    with closing(open_reader(path)) as reader:
        try:
            with reader:  # one transaction, so that the figures agree
                found = read(reader, now=now, journal=settings_of(reader)["journal_mode"])
        except apsw.Error as error:
            raise Unavailable("the database cannot be read") from error
    return found
