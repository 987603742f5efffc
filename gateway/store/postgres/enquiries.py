"""Opening the questions to a PostgreSQL database; what they are is `gateway.store.sql.enquiries`."""

from gateway.store.postgres.connection import Address
from gateway.store.postgres.readers import PostgresReaders
from gateway.store.sql.enquiries import SqlEnquiries


class PostgresEnquiries(SqlEnquiries):
    """Questions to one database. Made by `open`."""

    @classmethod
    def open(cls, where: Address) -> "PostgresEnquiries":
        """Prepare to read a database that `PostgresStore.open` has migrated; it connects with the first question."""
        return cls(PostgresReaders(where))
