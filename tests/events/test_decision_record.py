"""The record of decisions: rows that nobody changes and nobody deletes."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from arena.errors import ArenaError
from arena.events.decision_record import MAX_NOTE, Ruling, name_staff, record_decision
from arena.events.models import Act, Decision
from tests.factories import NOW, make_event, make_user

pytestmark = pytest.mark.django_db
TABLE = Decision._meta.db_table


@pytest.fixture
def decision() -> Decision:
    event = make_event()
    return record_decision(event, Act.DISMISSED, Ruling(make_user(), NOW, "Nothing in it."))


def run(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def change_field(decision: Decision) -> None:
    decision.note = "Something else."
    decision.save()


def change_many(decision: Decision) -> None:
    decision.note = "Something else."
    Decision.objects.bulk_update([decision], ["note"])


def put_over(decision: Decision) -> None:
    """A row of the same key in its place, as each database has it."""
    fresh = Decision(pk=decision.pk, event=decision.event, act=Act.WARNED, made_at=NOW)
    Decision.objects.bulk_create(
        [fresh], update_conflicts=True, update_fields=["act"], unique_fields=["id"]
    )


def replace_by(column: str) -> Callable[[Decision], None]:
    """REPLACE, which SQLite alone has; elsewhere a plain INSERT, which is refused as well."""

    def replace(decision: Decision) -> None:
        verb = "REPLACE" if connection.vendor == "sqlite" else "INSERT"
        names = [field.column for field in Decision._meta.concrete_fields]
        others = {"id": "id + 1", "uuid": f"'{uuid.uuid4().hex}'"}
        others.pop(column)
        chosen = ", ".join(others.get(name, name) for name in names)
        run(f"{verb} INTO {TABLE} ({', '.join(names)}) SELECT {chosen} FROM {TABLE}")

    return replace


WAYS: dict[str, Callable[[Decision], Any]] = {
    "saved": change_field,
    "bulk update": change_many,
    "update": lambda decision: Decision.objects.filter(pk=decision.pk).update(note=""),
    "delete": lambda decision: decision.delete(),
    "delete all": lambda _decision: Decision.objects.all().delete(),
    "update by hand": lambda _decision: run(f"UPDATE {TABLE} SET note = 'So.'"),
    "delete by hand": lambda _decision: run(f"DELETE FROM {TABLE}"),
    "upsert": put_over,
    "replace by key": replace_by("id"),
    "replace by uuid": replace_by("uuid"),
}


@pytest.mark.all_cases
@pytest.mark.parametrize("way", WAYS)
def test_a_decision_is_neither_changed_nor_deleted(decision: Decision, way: str) -> None:
    before = list(Decision.objects.values())
    with pytest.raises(DatabaseError), transaction.atomic():
        WAYS[way](decision)
    assert list(Decision.objects.values()) == before


def test_an_event_with_decisions_stays(decision: Decision) -> None:
    with pytest.raises(ProtectedError):
        decision.event.delete()


def list_triggers() -> set[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE]
            )
        else:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
                [TABLE],
            )
        return {name for (name,) in cursor.fetchall()}


def test_the_triggers_are_there_after_all_migrations() -> None:
    wanted = {
        "sqlite": {f"{TABLE}_no_{act}" for act in ("update", "delete", "insert")},
        "postgresql": {f"{TABLE}_append_only"},
    }
    call_command("migrate", check_unapplied=True, verbosity=0)
    assert list_triggers() == wanted[connection.vendor]


@pytest.mark.any_database
@pytest.mark.parametrize("note", ["", "   ", "Ask ann@mail.example about it."])
def test_a_person_says_why_and_names_no_address(note: str) -> None:
    with pytest.raises(ArenaError):
        record_decision(make_event(), Act.DISMISSED, Ruling(make_user(), NOW, note))
    assert not Decision.objects.exists()


@pytest.mark.any_database
def test_people_are_named_by_pseudonym() -> None:
    event, other, user = make_event(), make_event(), make_user("rita", email="rita@mail.example")
    made = record_decision(event, Act.DISMISSED, Ruling(user, NOW, "x" * (MAX_NOTE + 1)))
    assert made.by == name_staff(event, user) != name_staff(other, user)
    assert "rita" not in str(Decision.objects.values().get())
    assert len(made.note) == MAX_NOTE
    assert record_decision(event, Act.EXCLUDED, Ruling(None, NOW)).by == ""
