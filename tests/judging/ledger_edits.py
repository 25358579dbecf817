"""Single rows edited in SQL, behind the application's back: what a board follows from."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, models, transaction

from arena.events.models import (
    Category,
    Competitor,
    Control,
    Enrollment,
    Event,
    ImportJob,
    LedgerEntry,
    Matchup,
    MatchupResponse,
    Question,
    Record,
    Response,
)
from arena.judging.models import Answer, Exclusion, Judgment, LedgerBatch

RecordCategory = Record.categories.through
# What boards follow from, by table: the columns that are edited.
EDITED: dict[type[models.Model], tuple[str, ...]] = {
    Judgment: (
        *("uuid", "event_id", "enrollment_id", "matchup_id", "origin", "import_job_id"),
        *("judged_at", "standing", "revises_id", "ledger_seq"),
    ),
    Answer: (
        *("judgment_id", "question_id", "first_id", "second_id"),
        *("outcome", "both_bad", "first_on_left"),
    ),
    Exclusion: ("event_id", "judgment_id", "enrollment_id", "reason", "lifted_at"),
    Response: ("record_id", "competitor_id", "text", "length", "headers", "bold", "lists", "code"),
    Record: ("event_id", "prompt"),
    RecordCategory: ("record_id", "category_id"),
    Matchup: ("event_id", "record_id", "key", "role"),
    MatchupResponse: ("matchup_id", "response_id", "position"),
    Control: ("matchup_id", "question_id", "key", "retired_at"),
    Competitor: ("event_id", "name", "organization", "licence", "joined_late"),
    Category: ("event_id", "slug", "name"),
    Question: ("event_id", "name", "kind", "settings"),
    Event: (
        *("scale", "both_bad", "timezone", "control_interval"),
        *("counts_imported", "counts_simulated", "counts_machine"),
    ),
    Enrollment: ("public_id",),
    ImportJob: ("state",),
    LedgerBatch: ("event_id", "first_seq", "last_seq", "digest", "sealed_at"),
    LedgerEntry: (
        *("event_id", "number", "kind", "version", "subject", "content"),
        *("salt", "digest", "sealed_at"),
    ),
}
# Tables in which a row can be put in, or taken out, by itself.
INSERTED = (Exclusion, Answer, MatchupResponse, Control, RecordCategory, LedgerBatch, Judgment)
DELETED = (*INSERTED, LedgerEntry)
CHOICES = {
    "origin": ("screen", "imported", "simulated", "machine"),
    "role": ("ordinary", "control", "anchor"),
    "outcome": (-3, -2, -1, 0, 1, 2, 3, None),
    "first_on_left": (True, False, None),
    "reason": Exclusion.Reason.values,
    "scale": (2, 3, 5, 7),
    "timezone": ("UTC", "Asia/Tokyo"),
    "state": ImportJob.State.values,
}


@dataclass(frozen=True)
class Edit:
    """One statement, with its words for whoever reads that it was not found."""

    what: str
    sql: str
    values: tuple[Any, ...]


def rows_behind_boards(event: Event) -> dict[type[models.Model], list[int]]:
    """Primary keys, by table, of the rows that a board of the event follows from."""
    judged = Judgment.objects.filter(event=event, ledger_seq__isnull=False)
    matchups = Matchup.objects.filter(judgments__in=judged)
    records = Record.objects.filter(matchups__in=matchups)
    found = {
        Judgment: judged,
        Answer: Answer.objects.filter(judgment__in=judged, outcome__isnull=False),
        Exclusion: Exclusion.objects.filter(event=event),
        Response: Response.objects.filter(matchups__in=matchups),
        Record: records,
        RecordCategory: RecordCategory.objects.filter(record__in=records),
        Matchup: matchups,
        MatchupResponse: MatchupResponse.objects.filter(matchup__in=matchups),
        Control: Control.objects.filter(matchup__in=matchups),
        Competitor: Competitor.objects.filter(responses__matchups__in=matchups),
        Category: Category.objects.filter(records__in=records),
        Question: Question.objects.filter(event=event, kind="preference"),
        Event: Event.objects.filter(pk=event.pk),
        Enrollment: Enrollment.objects.filter(judgments__in=judged),
        ImportJob: ImportJob.objects.filter(judgments__in=judged),
        LedgerBatch: LedgerBatch.objects.filter(event=event),
        LedgerEntry: LedgerEntry.objects.sealed().filter(event=event),
    }
    return {model: sorted({*rows.values_list("pk", flat=True)}) for model, rows in found.items()}


class Editor:
    """Draws edits of rows that boards follow from."""

    def __init__(self, event: Event, rng: Random) -> None:
        self.event, self.rng = event, rng
        self.rows = rows_behind_boards(event)

    def draw(self) -> Edit:
        """Any table with the same chance, then any column of any row, a new row, or one less."""
        model = self.rng.choice([model for model in EDITED if self.rows[model]])
        row = model._base_manager.values().get(pk=self.rng.choice(self.rows[model]))
        act = self.rng.random()
        if act < 0.15 and model in INSERTED:
            return self.insert(model, row)
        if model is Exclusion and row["lifted_at"]:
            return self.update(model, row, "lifted_at")
        if act < 0.3 and model in DELETED:
            return self.delete(model, row)
        return self.update(model, row, self.rng.choice(EDITED[model]))

    def update(self, model: type[models.Model], row: dict[str, Any], column: str) -> Edit:
        old = row[column]
        new = self.another(model, column, old)
        if new == old:
            raise IntegrityError("nothing else to say there")
        table, key = model._meta.db_table, row["id"]
        sql = f'UPDATE {table} SET "{column}" = %s WHERE id = %s'
        what = f"{table} {key}: {column} {old!r} → {new!r}"
        return Edit(what, sql, (adapt(model, column, new), key))

    def delete(self, model: type[models.Model], row: dict[str, Any]) -> Edit:
        table = model._meta.db_table
        return Edit(
            f"{table} {row['id']}: deleted",
            f"DELETE FROM {table} WHERE id = %s",
            (row["id"],),
        )

    def insert(self, model: type[models.Model], row: dict[str, Any]) -> Edit:
        """A copy of a row with one other value in a column that may not be the same twice."""
        fresh = {name: value for name, value in row.items() if name != "id"}
        for column in {
            Exclusion: ("judgment_id", "enrollment_id"),
            Answer: ("judgment_id", "question_id"),
            MatchupResponse: ("matchup_id", "position"),
            Control: ("matchup_id",),
            RecordCategory: ("record_id",),
            LedgerBatch: ("first_seq", "last_seq"),
            Judgment: ("uuid", "ledger_seq"),
        }[model]:
            if fresh[column] is not None:
                fresh[column] = self.another(model, column, fresh[column], behind_boards=True)
        if model is Judgment:
            fresh |= {"assignment_id": None, "standing": False, "revises_id": None}
            fresh |= {"revision": 0, "ledger_seq": 10_000 + fresh["ledger_seq"]}
        if model is Exclusion:  # one that is lifted moves no board
            fresh |= {"lifted_at": None, "lifted_by_id": None}
        if model is LedgerBatch:
            fresh |= {"first_seq": 10_000, "last_seq": 10_001}
        columns = ", ".join(f'"{name}"' for name in fresh)
        marks = ", ".join(["%s"] * len(fresh))
        table = model._meta.db_table
        values = tuple(adapt(model, name, value) for name, value in fresh.items())
        sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
        return Edit(f"{table}: inserted {fresh}", sql, values)

    def another(
        self, model: type[models.Model], column: str, old: Any, *, behind_boards: bool = False
    ) -> Any:
        """Another value of the same sort; of foreign keys perhaps one that boards follow from."""
        if column in CHOICES:
            values = list(CHOICES[column])
        elif column.endswith("_id") and column != "public_id":
            values = self.other_keys(model, column, behind_boards=behind_boards)
        else:
            return invent(old, column, self.rng)
        return self.rng.choice([value for value in values if value != old] or [old])

    def other_keys(
        self, model: type[models.Model], column: str, *, behind_boards: bool
    ) -> list[Any]:
        """Primary keys that a foreign key could hold as well."""
        related = model._meta.get_field(column.removesuffix("_id")).related_model
        assert isinstance(related, type)
        if behind_boards and related in self.rows and related is not Question:
            return list(self.rows[related])
        rows = related._base_manager.all()
        if related is ImportJob:  # of two that are done neither hides anything
            rows = rows.exclude(state=ImportJob.State.DONE)
        return list(rows.values_list("pk", flat=True))


def invent(old: Any, column: str, rng: Random) -> Any:
    """Another value in the place of one."""
    if column in ("retired_at", "lifted_at"):
        return None if old else datetime(2026, 11, 2, tzinfo=UTC)
    match old:
        case bool():
            return not old
        case int():
            return old + rng.choice((1, 2, 7))
        case datetime():
            return old.replace(year=old.year - 1)
        case UUID():
            return UUID(int=rng.getrandbits(128))
        case dict():
            if "sign" in old:
                return old | {"sign": -old["sign"] or 1}
            return old | {"edited": rng.randrange(100)}
        case list():
            return [*old, {"role": "user", "content": "and more"}]
        case None:
            return datetime(2026, 11, 2, tzinfo=UTC) if column.endswith("_at") else 1
    if column == "kind":
        return "text" if old != "text" else "preference"
    return old[:-1] + rng.choice([c for c in "0123456789abcdefg" if c != old[-1:]])


def adapt(model: type[models.Model], column: str, value: Any) -> Any:
    """A value as the database takes it."""
    field = next(field for field in model._meta.concrete_fields if field.attname == column)
    if isinstance(field, models.JSONField):
        return json.dumps(value)
    return field.get_db_prep_save(value, connection)


def attempt(edit: Edit, look: Callable[[], Any]) -> Any:
    """What `look` finds after the edit, which is then taken back. Raises IntegrityError where the
    database refuses it."""
    with transaction.atomic():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(edit.sql, edit.values)
            if cursor.rowcount != 1:
                raise IntegrityError("no row")
        found = look()
        transaction.set_rollback(True)
    return found


def draw_edits(editor: Editor, count: int, look: Callable[[], Any]) -> Iterator[tuple[Edit, Any]]:
    """So many edits that the database takes, each with what was found after it."""
    done = 0
    while done < count:
        try:
            edit = editor.draw()
            found = attempt(edit, look)
        except IntegrityError:
            continue
        done += 1
        yield edit, found
