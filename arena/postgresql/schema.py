"""Changes of the schema that do not make a site in use wait."""

from typing import Self

from django.db.backends.postgresql import schema

LOCK_TIMEOUT = "3s"
"""A migration that cannot have its lock gives up: whoever came after it would queue behind it."""


class SchemaEditor(schema.DatabaseSchemaEditor):
    """Django's, whose transactions wait for a lock for a short time only."""

    def __enter__(self) -> Self:
        super().__enter__()
        if self.atomic_migration and not self.collect_sql:
            # For this transaction alone, so that it holds behind PgBouncer as well.
            self.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        return self
