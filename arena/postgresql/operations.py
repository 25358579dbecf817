"""Operations of migrations beside which the release before goes on serving.

On SQLite, which one machine alone uses and which is not served meanwhile, they do the plain thing.
Migrations with any of them say `atomic = False`.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.postgres import operations
from django.db import migrations, router, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState, StateApps

Editor = BaseDatabaseSchemaEditor


class AddIndexConcurrently(operations.AddIndexConcurrently):
    """An index that is built while others write."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            migrations.AddIndex.database_forwards(
                self, app_label, schema_editor, from_state, to_state
            )
            return
        # What a try that failed has left is no index, and has its name.
        name = schema_editor.quote_name(self.index.name)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddCheckNotValid(operations.AddConstraintNotValid):
    """A check of new rows; `ValidateCheck`, in a later migration, looks at the others."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddConstraint.database_forwards(
                self, app_label, schema_editor, from_state, to_state
            )


class ValidateCheck(operations.ValidateConstraint):
    """A look at the rows that were there before a check was; nobody waits for it."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class RunInBatches(migrations.RunPython):
    """Code that changes some rows and returns how many; it is called until it returns none.

    Each call is a transaction of its own, so that no row is locked for longer than a batch takes.
    """

    code: Callable[[StateApps, Editor], Any]

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        from_state.clear_delayed_apps_cache()
        alias = schema_editor.connection.alias
        if not router.allow_migrate(alias, app_label, **self.hints):
            return
        is_done = False
        while not is_done:
            with transaction.atomic(alias):
                is_done = not self.code(from_state.apps, schema_editor)


class MakeAppendOnly(Operation):
    """Rows of this table are never changed and never deleted, whoever asks: triggers refuse both.

    SQLite fires no trigger of a row in whose place another one comes (REPLACE): there an insert is
    refused that would replace one. It loses a table's triggers where a later migration alters the
    table: that migration says this operation again.
    """

    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models stay as they are."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for statement in self.forbid(app_label, schema_editor, to_state):
            schema_editor.execute(statement)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for statement in self.allow(app_label, schema_editor, from_state):
            schema_editor.execute(statement)

    def describe(self) -> str:
        return f"Make {self.model_name} append-only"

    def forbid(self, app_label: str, schema_editor: Editor, state: ProjectState) -> list[str]:
        """The statements that create the triggers."""
        model = state.apps.get_model(app_label, self.model_name)._meta
        table = model.db_table
        if schema_editor.connection.vendor != "postgresql":
            unique = [field.column for field in model.concrete_fields if field.unique]
            is_same = " OR ".join(f"{column} = NEW.{column}" for column in unique)
            is_there = f"EXISTS (SELECT 1 FROM {table} WHERE {is_same})"  # noqa: S608 (names of ours)
            refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            return [
                f"CREATE TRIGGER IF NOT EXISTS {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"{condition}{refusal}"
                for act, condition in (
                    ("UPDATE", ""),
                    ("DELETE", ""),
                    ("INSERT", f"WHEN {is_there} "),
                )
            ]
        return [
            f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = "
            "'integrity_constraint_violation'; END $$",
            f"CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
        ]

    def allow(self, app_label: str, schema_editor: Editor, state: ProjectState) -> list[str]:
        """The statements that drop them."""
        table = state.apps.get_model(app_label, self.model_name)._meta.db_table
        if schema_editor.connection.vendor != "postgresql":
            return [
                f"DROP TRIGGER IF EXISTS {table}_no_{act}" for act in ("update", "delete", "insert")
            ]
        return [
            f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}",
            f"DROP FUNCTION IF EXISTS {table}_refuse()",
        ]
