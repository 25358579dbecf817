"""Migrations beside which the release before cannot serve are refused; each kind has one here."""

from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ModelState, ProjectState

from arena.postgresql.operations import (
    AddCheckNotValid,
    AddIndexConcurrently,
    RunInBatches,
    ValidateCheck,
)
from checks.migrations import RELEASE_FILE, ROOT, Review, is_known, review_project

INDEX = models.Index(fields=["pages"], name="book_pages")
CHECK = models.CheckConstraint(condition=models.Q(pages__gte=0), name="book_has_pages")
STATE_ONLY = migrations.SeparateDatabaseAndState(
    state_operations=[migrations.RemoveField("book", "pages")]
)


def shop() -> ProjectState:
    """An app as the release before has it."""
    state = ProjectState()
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("title", models.CharField(max_length=20)),
        ("pages", models.IntegerField(null=True)),
        ("price", models.IntegerField(db_default=1)),
    ]
    state.add_model(ModelState("shop", "Book", fields))
    return state


def found_in(*operations: Any, is_atomic: bool = True) -> list[str]:
    return list(Review("shop", shop()).review(operations, is_atomic=is_atomic))


def add(field: Any) -> Any:
    return migrations.AddField("book", "new", field)


def alter(name: str, field: Any) -> Any:
    return migrations.AlterField("book", name, field)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (add(models.IntegerField(default=0)), "without it: db_default"),
        (add(models.IntegerField(null=True, db_index=True)), "while its index is built"),
        (
            add(
                models.GeneratedField(
                    expression=models.F("pages") * 2,
                    output_field=models.IntegerField(),
                    db_persist=True,
                )
            ),
            "written anew",
        ),
        (migrations.RemoveField("book", "pages"), "still reads the column"),
        (migrations.RenameField("book", "pages", "leaves"), "old name alone"),
        (migrations.RenameModel("Book", "Volume"), "old name alone"),
        (migrations.AlterModelTable("book", "volumes"), "old name alone"),
        (migrations.DeleteModel("book"), "still reads the table"),
        (alter("pages", models.TextField(null=True)), "from integer to text"),
        (alter("title", models.CharField(max_length=10)), "varchar(10)"),
        (alter("pages", models.IntegerField(default=0)), "may still write NULL"),
        (alter("price", models.IntegerField()), "insert rows without it"),
        (alter("pages", models.IntegerField(null=True, unique=True)), "while its index is built"),
        (alter("pages", models.IntegerField(null=True, db_column="p")), "old column alone"),
        (migrations.AddIndex("book", INDEX), "AddIndexConcurrently"),
        (migrations.AddConstraint("book", CHECK), "AddCheckNotValid"),
        (migrations.AlterUniqueTogether("book", {("title", "pages")}), "while its index is built"),
        (migrations.RunPython(migrations.RunPython.noop), "RunInBatches"),
        (migrations.RunSQL("SELECT 1"), "reviewed"),
        (
            migrations.SeparateDatabaseAndState([migrations.RunSQL("DROP TABLE shop_book")]),
            "reviewed",
        ),
        (migrations.AlterOrderWithRespectTo("book", None), "not known to be safe"),
        (AddIndexConcurrently("book", INDEX), "atomic = False"),
        (RunInBatches(migrations.RunPython.noop), "atomic = False"),
    ],
)
def test_what_the_release_before_cannot_serve_beside(operation: Any, words: str) -> None:
    (fault,) = found_in(operation)
    assert words in fault


def test_what_it_can_serve_beside() -> None:
    new_table = migrations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True))])
    harmless = [
        add(models.IntegerField(db_default=0)),
        migrations.AddField("book", "other", models.TextField(null=True)),
        alter("title", models.CharField(max_length=30)),
        alter("title", models.TextField()),
        new_table,
        migrations.AddField("shelf", "name", models.TextField(default="")),
        migrations.AddIndex("shelf", models.Index(fields=["name"], name="shelf_name")),
        STATE_ONLY,
    ]
    assert found_in(*harmless) == []
    concurrent = [
        AddIndexConcurrently("book", INDEX),
        AddCheckNotValid("book", CHECK),
        ValidateCheck("book", "book_has_pages"),
        RunInBatches(migrations.RunPython.noop),
    ]
    assert found_in(*concurrent, is_atomic=False) == []


def test_the_project_s_own_are_among_those_looked_at() -> None:
    assert is_known("arena/judging/migrations/0001_initial.py")
    assert not is_known("arena/files/migrations/0001_files_in_the_database.py")
    assert all((ROOT / path).exists() for path in RELEASE_FILE.read_text().split()[1:])
    assert review_project() == []


@pytest.mark.django_db(transaction=True)
def test_the_operations_do_the_right_thing_on_either_database() -> None:
    table = migrations.CreateModel(
        "Book",
        [("id", models.BigAutoField(primary_key=True)), ("pages", models.IntegerField())],
    )
    left = [3]

    def shorten(apps: Any, _editor: Any) -> int:
        books = apps.get_model("shop", "Book").objects.filter(pages__gt=100)
        left.append(
            books.filter(pk__in=list(books.values_list("pk", flat=True)[:2])).update(pages=100)
        )
        return left[-1]

    run = [
        table,
        migrations.RunPython(
            lambda apps, _editor: [
                apps.get_model("shop", "Book").objects.create(pages=500) for _ in range(3)
            ]
        ),
        AddIndexConcurrently("book", INDEX),
        AddCheckNotValid("book", CHECK),
        ValidateCheck("book", "book_has_pages"),
        RunInBatches(shorten),
    ]
    before, states = ProjectState(), []
    for operation in run:
        states.append(before)
        after = before.clone()
        operation.state_forwards("shop", after)
        with connection.schema_editor(atomic=operation is table) as editor:
            operation.database_forwards("shop", editor, before, after)
        before = after
    try:
        with connection.cursor() as cursor:
            there = connection.introspection.get_constraints(cursor, "shop_book")
        assert {"book_pages", "book_has_pages"} <= there.keys()
        assert left == [3, 2, 1, 0]
    finally:
        with connection.schema_editor() as editor:
            table.database_backwards("shop", editor, states[1], ProjectState())


@pytest.mark.django_db(transaction=True)
def test_a_migration_waits_for_a_lock_for_a_short_time_only() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has its own")
    with connection.schema_editor() as editor, connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert (editor.connection.vendor, cursor.fetchone()) == ("postgresql", ("3s",))
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
