"""Operations of migrations beside which the release before goes on serving.

On SQLite, which one machine alone uses and which is not served meanwhile, they do the plain thing.
Migrations with any of them say `atomic = False`.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.postgres import operations
from django.db import migrations, router, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
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
