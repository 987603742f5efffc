"""After a server was restored by its own means: a new generation begins, and nothing is sent before all is reconciled.

The store cannot tell by itself that it stands at an earlier time: a person says so, while no node runs.

Source: reliability-security.md I22.
"""

from datetime import datetime

from gateway.domain.deadline import ALWAYS
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.store.postgres.connection import Address, Postgres, ServerAwayError
from gateway.store.postgres.schema import migrate
from gateway.store.postgres.store import elsewhere
from gateway.store.postgres.writer import begin
from gateway.store.sql.instants import instant
from gateway.store.sql.restoring import Beginning, Parties, Person, Point, mark
from gateway.store.sql.transaction import Transaction

_GENERATION = "SELECT generation FROM meta WHERE id = 1"
_NEWEST = "SELECT seq, at, leaf_hash FROM audit_leaf ORDER BY seq DESC LIMIT 1"


def begin_after_restore(
    where: Address, parties: Parties, *, person: Person, now: datetime, least_generation: int = 1
) -> tuple[Point, int, tuple[OdsCode, ...], tuple[OdsCode, ...]]:
    """Begin a new generation of a database, in one transaction.

    Args:
        where: the database; no node runs on it.
        parties: providers and trusts of the configuration, held beside all that were ever met.
        person: who says that it was restored.
        now: when.
        least_generation: for when a later life of the store is known of than the database shows.

    Returns:
        To what it was restored, the generation, and the providers and trusts that are held.

    Raises:
        ConfigurationError: the server or the database is not what it must be.
        Unavailable: it could not be reached or written. All of it was done or nothing, and it may be done once more.
    """
    connection = Postgres(where)

    def run() -> tuple[Point, int, tuple[OdsCode, ...], tuple[OdsCode, ...]]:
        try:
            connection.connect()
            migrate(connection, now=now)
            begin(connection)
            ((generation,),) = connection.execute(_GENERATION)
            beginning = Beginning(max(least_generation, int(generation) + 1), person, now)
            point = _point(connection, now)
            transaction = Transaction(
                connection=connection, deadlines=ALWAYS, tells=frozenset(), generation=beginning.generation
            )
            held, senders = mark(transaction, point, beginning, parties)
            connection.commit()
        except ServerAwayError as error:
            raise Unavailable("the database is away, and it is not known whether it was begun: begin again") from error
        finally:
            connection.close()
        return point, beginning.generation, held, senders

    return elsewhere(run)


def _point(connection: Postgres, now: datetime) -> Point:
    newest = next(iter(connection.execute(_NEWEST)), None)
    if newest is None:
        return Point(made_at=now.isoformat(), last_at=now, digest="", leaves=0)
    return Point(made_at=now.isoformat(), last_at=instant(newest[1]), digest=newest[2].hex(), leaves=newest[0])
