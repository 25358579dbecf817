"""What an event asks of its contributors: guidelines, terms, note and questions in force.

All of it is needed for every matchup and changes a few times in an event's life, so each process
keeps it. A key of versions, read with every request, says whether what is kept is still in force.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import connection

from arena.events.models import Event, Guidelines, Note, Question
from arena.events.organizer_texts import render_organizer_text

# Events kept by one process.
MAX_KEPT = 200

# One row of versions. Indices guidelines_version_once, terms_version_once, note_one_current.
VERSIONS_SQL = """
(SELECT id FROM events_guidelines WHERE event_id = {event} ORDER BY version DESC LIMIT 1),
(SELECT id FROM events_terms WHERE event_id = {event} ORDER BY version DESC LIMIT 1),
(SELECT id FROM events_note WHERE event_id = {event} AND ended_at IS NULL)
"""
GET_VERSIONS_SQL = f"""
SELECT secret, version, {VERSIONS_SQL.format(event="events_event.id")}
FROM events_event WHERE id = %s
"""  # noqa: S608 - a constant
QUESTION_COLUMNS = tuple(field.attname for field in Question._meta.concrete_fields)


@dataclass(frozen=True)
class Versions:
    """What tells two states of an event's rules apart."""

    event_id: int
    # Drawn once for each event: a restored database may use a number again.
    secret: str
    # `Event.version`, which moves when questions change.
    version: int
    guidelines_id: int | None
    terms_id: int | None
    note_id: int | None


class EventRules:
    """The rules of an event at one state of its versions; never changed, shared by threads."""

    def __init__(self, versions: Versions) -> None:
        self.versions = versions
        self.guidelines = Guidelines.objects.filter(pk=versions.guidelines_id or 0).first()
        self.note = Note.objects.filter(pk=versions.note_id or 0).first()
        questions = Question.objects.filter(event=versions.event_id)
        # What others have made of these rules and may use again.
        self.kept: dict[Hashable, Any] = {}
        self.rows: list[tuple[Any, ...]] = list(questions.values_list(*QUESTION_COLUMNS))

    @property
    def guidelines_html(self) -> str:
        """The guidelines as safe HTML; empty without any."""
        return render_organizer_text(self.guidelines.text) if self.guidelines else ""

    def build_questions(self, event: Event) -> list[Question]:
        """The questions in order, as belonging to this instance of the event."""
        questions = [Question.from_db("default", QUESTION_COLUMNS, row) for row in self.rows]
        for question in questions:
            question.event = event
        return questions


KEPT: OrderedDict[int, EventRules] = OrderedDict()
LOCK = Lock()


def get_rules(event: Event) -> EventRules:
    """The rules in force, by one statement where this process has them."""
    with connection.cursor() as cursor:
        cursor.execute(GET_VERSIONS_SQL, [event.pk])
        row = cursor.fetchone()
    return find_rules(Versions(event.pk, *row))


def find_rules(versions: Versions) -> EventRules:
    """The rules at these versions: kept ones, else read and kept."""
    with LOCK:
        rules = KEPT.get(versions.event_id)
        if rules is not None and rules.versions == versions:
            KEPT.move_to_end(versions.event_id)
            return rules
    rules = EventRules(versions)
    with LOCK:
        KEPT[versions.event_id] = rules
        while len(KEPT) > MAX_KEPT:
            KEPT.popitem(last=False)
    return rules
