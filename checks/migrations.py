"""Whether the release before can go on serving while and after the new migrations run.

`python -m checks.migrations` looks at each migration that the commit named in deploy/release-before
does not have, and refuses what would fail there or make its writers wait. What goes with a table
that those migrations have created is free: the release before does not know it.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.utils import ConnectionHandler

from arena.postgresql.operations import (
    AddCheckNotValid,
    AddIndexConcurrently,
    RunInBatches,
    ValidateCheck,
)

ROOT = Path(__file__).resolve().parent.parent
RELEASE_FILE = ROOT / "deploy" / "release-before"
PACKAGES = ("arena.", "leaderboard.")
# "app.0001_name": why somebody who has looked at it takes it as it is.
REVIEWED: dict[str, str] = {}

OUTSIDE_TRANSACTIONS = (AddIndexConcurrently, AddCheckNotValid, ValidateCheck, RunInBatches)
HARMLESS = (
    operations.CreateModel,
    operations.AlterModelOptions,
    operations.AlterModelManagers,
    operations.RemoveIndex,
    operations.RenameIndex,
    operations.RemoveConstraint,
)
REFUSED: dict[type[Operation], str] = {
    operations.RemoveField: "the release before still reads the column: take it out of the state "
    "alone, and drop it in the release after",
    operations.RenameField: "the release before knows the old name alone: add a column",
    operations.DeleteModel: "the release before still reads the table: take it out of the state "
    "alone, and drop it in the release after",
    operations.RenameModel: "the release before knows the old name alone: set db_table",
    operations.AlterModelTable: "the release before knows the old name alone",
    operations.AddIndex: "writers wait while it is built: AddIndexConcurrently",
    operations.AddConstraint: "writers wait while every row is looked at: AddCheckNotValid, then "
    "ValidateCheck; of a unique one, AddIndexConcurrently",
    operations.AlterUniqueTogether: "writers wait while its index is built",
    operations.RunSQL: "nobody can tell what it does: have it reviewed",
    operations.RunPython: "its rows stay locked to the end: RunInBatches",
}
TYPES = ConnectionHandler({"default": {"ENGINE": "django.db.backends.postgresql"}})["default"]


@dataclass
class Review:
    """The operations of an app's migrations, one after the other, and what is wrong with them."""

    app: str
    state: ProjectState
    # Tables that the release before does not know.
    created: set[tuple[str, str]] = field(default_factory=set)

    def review(self, found: Iterable[Operation], *, is_atomic: bool) -> Iterator[str]:
        """What is refused, in order; the state goes along."""
        for operation in found:
            before = self.state.clone()
            operation.state_forwards(self.app, self.state)
            if fault := self.find_fault(operation, before, is_atomic=is_atomic):
                yield f"{operation.describe()}: {fault}"

    def find_fault(self, operation: Operation, before: ProjectState, *, is_atomic: bool) -> str:
        """Why an operation is refused; "" where it is not."""
        if isinstance(operation, operations.SeparateDatabaseAndState):
            inner = operation.database_operations
            faults = (self.find_fault(one, before, is_atomic=is_atomic) for one in inner)
            return next(filter(None, faults), "")
        if isinstance(operation, OUTSIDE_TRANSACTIONS):
            return "the migration needs atomic = False" if is_atomic else ""
        return self.find_fault_of_schema(operation, before)

    def find_fault_of_schema(self, operation: Operation, before: ProjectState) -> str:
        """The same for an operation that has no form for a site in use."""
        table = (self.app, name_model(operation))
        if isinstance(operation, operations.CreateModel):
            self.created.add(table)
        if isinstance(operation, HARMLESS) or table in self.created:
            return ""
        if isinstance(operation, operations.AddField):
            return find_fault_of_column(operation.field)
        if isinstance(operation, operations.AlterField):
            states = (before, self.state)
            models = (state.apps.get_model(*table) for state in states)
            return find_fault_of_change(*(one._meta.get_field(operation.name) for one in models))
        reasons = (reason for kind, reason in REFUSED.items() if isinstance(operation, kind))
        return next(reasons, "it is not known to be safe")


def name_model(operation: Any) -> str:
    """The model that an operation is about, in lower case; "" where it is about none."""
    for attribute in ("model_name", "old_name", "name"):
        if name := getattr(operation, attribute, None):
            return str(name).lower()
    return ""


def find_fault_of_column(column: Any) -> str:
    """Why a column may not be added to a table in use; "" where it may."""
    if column.many_to_many:
        return ""
    if column.generated:
        return "the whole table is written anew"
    if not column.null and not column.has_db_default():
        return "the release before inserts rows without it: db_default, or null=True"
    if column.unique or column.db_index:
        return "writers wait while its index is built: db_index=False, and AddIndexConcurrently"
    return ""


def find_fault_of_change(old: Any, new: Any) -> str:
    """Why a column may not be changed like that; "" where it may."""
    if old.many_to_many or new.many_to_many or old.column != new.column:
        return "the release before knows the old column alone"
    if not is_wider(str(old.db_type(TYPES)), str(new.db_type(TYPES))):
        return f"from {old.db_type(TYPES)} to {new.db_type(TYPES)} the table is written anew"
    if old.null and not new.null:
        return "the release before may still write NULL"
    if old.has_db_default() and not new.has_db_default():
        return "the release before may insert rows without it"
    if (new.unique or new.db_index) and not (old.unique or old.db_index):
        return "writers wait while its index is built: AddIndexConcurrently"
    return ""


def is_wider(old: str, new: str) -> bool:
    """Whether each value of a column's type is one of the other's, as it is stored."""
    before, after = (re.fullmatch(r"varchar\((\d+)\)", kind) for kind in (old, new))
    if before and after:
        return int(after[1]) >= int(before[1])
    return old == new or (bool(before) and new == "text")


# --- the project's own --------------------------------------------------------------------------
def is_known(path: str) -> bool:
    """Whether the release before has this migration: the file names the last one of each of its
    apps, so that no history of the repository is needed."""
    folder = path.rpartition("/")[0]
    _commit, *last = RELEASE_FILE.read_text().split()
    return any(one.rpartition("/")[0] == folder and path <= one for one in last)


def review_project() -> list[str]:
    """What is refused of the project's migrations since the release before."""
    loader = MigrationLoader(None)
    faults: list[str] = []
    created: set[tuple[str, str]] = set()
    for key, migration in order_migrations(loader):
        module = type(migration).__module__
        # By name: the packages of others may be installed in a folder of the project's.
        if not module.startswith(PACKAGES) or is_known(f"{module.replace('.', '/')}.py"):
            continue
        name = ".".join(key)
        review = Review(key[0], loader.project_state(key, at_end=False), created)
        found = list(review.review(migration.operations, is_atomic=migration.atomic))
        if name not in REVIEWED:
            faults += [f"{name}: {fault}" for fault in found]
    return faults


def order_migrations(loader: MigrationLoader) -> Iterator[tuple[tuple[str, str], Any]]:
    """Every migration, each after those that it depends on."""
    seen = set()
    for leaf in loader.graph.leaf_nodes():
        for key in loader.graph.forwards_plan(leaf):
            if key not in seen:
                seen.add(key)
                yield key, loader.graph.nodes[key]


def main() -> int:
    """Print what is refused."""
    django.setup()
    faults = review_project()
    for fault in faults:
        print(fault)
    if faults:
        print("The release before serves while these run: see docs/operations.md, An upgrade.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
