"""The event of `machine`: made once, and of every example as much as it asks for; what is asked of
the database after every step.
"""

from typing import Any

from django.db import connection

from arena.events.models import Event, Matchup, Record
from arena.judging.models import Flag, Judgment
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup_of,
    make_record,
)

# What is there before any example begins.
RECORDS, CONTROLS, PEOPLE = 4, 2, 4


def make_contents() -> int:
    """An event of which every example takes a part; its primary key."""
    event = make_event(grace_minutes=10, lease_minutes=30)
    competitors = make_competitors(event, 3)
    for _ in range(RECORDS):
        record = make_record(event)
        texts = [record.responses.create(competitor=c, text=c.name) for c in competitors]
        make_matchup_of(record, texts[:2])
        make_matchup_of(record, texts[1:])
    for _ in range(CONTROLS):
        make_control(event)
    for _ in range(PEOPLE):
        make_enrollment(event)
    return event.pk


class CheckQueries:
    """What is asked after every step, as SQL and parameters: compiled once."""

    def __init__(self, event: Event) -> None:
        judgments = Judgment.objects.filter(event=event)
        typed = judgments.filter(answers__outcome__isnull=False).order_by("revision")
        flags = Flag.objects.waiting().filter(assignment__enrollment__event=event)
        self.answers = compile_query(
            typed.values_list("assignment_id", "standing", "answers__outcome")
        )
        self.counted = compile_query(judgments.counted().values_list("assignment_id"))
        self.standing = compile_query(
            judgments.standing().values_list("enrollment_id", "matchup_id")
        )
        self.flagged = compile_query(flags.values_list("assignment_id"))
        slots = Matchup.objects.filter(event=event).values_list("pk", "open_slots")
        self.slots = compile_query(slots)


def compile_query(queryset: Any) -> tuple[str, tuple[Any, ...]]:
    return queryset.query.sql_with_params()


def read(query: tuple[str, tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(*query)
        return cursor.fetchall()


def take_contents(event: Event, records: int, controls: int) -> None:
    """Keep so many of the records and controls in service, as in an event without the others."""
    keys = list(event.records.order_by("pk").values_list("pk", flat=True))
    surplus = keys[records:RECORDS] + keys[RECORDS + controls :]
    Record.objects.filter(pk__in=surplus).update(retired_at=NOW)
    Matchup.objects.filter(record__in=surplus).update(retired_at=NOW)
    ordinary = Matchup.objects.filter(event=event, role=Matchup.Role.ORDINARY)
    ordinary.update(open_slots=event.overlap)
