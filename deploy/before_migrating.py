"""Copy an SQLite database that is about to be migrated, beside itself; the last two copies stay.

The one-container site runs this when it starts. A server's database is backed up by
deploy/backup.sh instead.
"""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import django

KEPT = 2


def main() -> None:
    """Copy the database if there is one and it lacks migrations."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
    django.setup()
    from django.db import connection  # noqa: PLC0415 - once Django is set up
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    file = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor != "sqlite" or not file.exists() or not file.stat().st_size:
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        copy = copy_database(file)
        print(f"The database is copied to {copy} before it is migrated.")  # noqa: T201


def copy_database(file: Path) -> Path:
    """A complete copy under a name with the time in it; it has that name once it is complete."""
    copy = file.with_name(f"{file.name}.before-{time.strftime('%Y%m%dT%H%M%S')}")
    partial = copy.with_name("copying.sqlite3")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(partial)) as target:
        source.backup(target)
    partial.replace(copy)
    for old in sorted(file.parent.glob(f"{file.name}.before-*"))[:-KEPT]:
        old.unlink()
    return copy


if __name__ == "__main__":
    main()
