"""The SQL that every judgment runs, written out: building it anew would cost more than running it.

Each statement names the index that it walks. All run on PostgreSQL and on SQLite alike.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from arena.events.current_rules import VERSIONS_SQL, EventRules, Versions, find_rules
from arena.events.models import Enrollment, Event, Matchup, Record
from arena.events.rendering import build_messages, ensure_rendered
from arena.judging.models import Answer, Assignment, Judgment
from arena.markup import RENDERER_VERSION, RenderedMessage, render_as_source
from arena.model_rows import (
    list_columns,
    list_values,
    name_columns,
    open_cursor,
    read_instance,
    select_columns,
)
from arena.people.models import User

# Primary keys; place_position_once.
LOAD_TEXTS_SQL = f"""
SELECT record.id, record.prompt, response.id,
  CASE WHEN record.rendered_with = {RENDERER_VERSION} THEN record.prompt_html END,
  CASE WHEN response.rendered_with = {RENDERER_VERSION} THEN response.html END,
  CASE WHEN response.rendered_with = {RENDERER_VERSION} THEN '' ELSE response.text END
FROM events_matchup matchup
JOIN events_record record ON record.id = matchup.record_id
LEFT JOIN events_matchupresponse place ON place.matchup_id = matchup.id
LEFT JOIN events_response response ON response.id = place.response_id
WHERE matchup.id = %s ORDER BY place.position
"""  # noqa: S608 - a constant
# Index assignment_live, then primary keys. The matchup's row is locked so that it is not taken
# out of service at this moment (`FOR KEY SHARE` is left out on SQLite, where one writes at a time).
# A state is compared as `state || ''` where a row is named by its primary key: the planner thinks
# the indices of live assignments empty, as few of many are live, and would rather read all of one.
SHOW_NEXT_SQL = """
UPDATE judging_assignment
SET state = 'shown', shown_at = %s, lease_until = %s, guidelines_id = %s
WHERE state || '' = 'reserved'
  AND id = (
    SELECT live.id FROM judging_assignment live
    WHERE live.enrollment_id = %s AND live.state IN ('reserved', 'shown')
    ORDER BY live.ordinal LIMIT 1)
  AND matchup_id = (
    SELECT matchup.id
    FROM events_matchup matchup JOIN events_record record ON record.id = matchup.record_id
    WHERE matchup.id = judging_assignment.matchup_id
      AND matchup.retired_at IS NULL AND record.retired_at IS NULL
    {lock})
RETURNING {columns}
"""
LOCK_MATCHUP = {"postgresql": "FOR KEY SHARE OF matchup"}
# Index assignment_live, then primary keys.
HEAD_PARTS: dict[str, type[Model]] = {"live": Assignment, "matchup": Matchup, "record": Record}
READ_HEAD_SQL = f"""
SELECT {select_columns(HEAD_PARTS)}
FROM judging_assignment live
JOIN events_matchup matchup ON matchup.id = live.matchup_id
JOIN events_record record ON record.id = matchup.record_id
WHERE live.enrollment_id = %s AND live.state IN ('reserved', 'shown')
ORDER BY live.ordinal LIMIT 1
"""  # noqa: S608 - names of columns
# Primary keys. One statement is one transaction and one trip to the server; SQLite has no writing
# common table expressions, and no trips that could be saved.
STORE_JUDGMENT_SQL = """
WITH done AS (
  UPDATE judging_assignment SET state = 'done', finished_at = %s, behaviour = %s
  WHERE id = %s AND state || '' = 'shown' RETURNING id),
judged AS (
  INSERT INTO judging_judgment ({columns}) SELECT {places} FROM done RETURNING id){answers}
SELECT id FROM judged
"""
STORE_ANSWER_SQL = """,
answer{number} AS (
  INSERT INTO judging_answer (judgment_id, {columns}) SELECT judged.id, {places} FROM judged)"""


LOADED: dict[str, type[Model]] = {
    "assignment": Assignment,
    "enrollment": Enrollment,
    "event": Event,
    "matchup": Matchup,
}
# Indices: the assignment's uuid, then primary keys; those of the enrollment's assignments for the
# count and the skips, of the seat's user for the seat.
LOAD_ASSIGNMENT_SQL = f"""
SELECT {select_columns(LOADED)}, {VERSIONS_SQL.format(event="event.id")},
  (SELECT COUNT(*) FROM judging_assignment done
   WHERE done.enrollment_id = enrollment.id AND done.state = 'done'),
  EXISTS (SELECT 1 FROM judging_assignment skipped
   WHERE skipped.enrollment_id = enrollment.id AND skipped.state = 'skipped'
     AND skipped.lease_until > %s),
  EXISTS (SELECT 1 FROM people_seat seat
   WHERE seat.user_id = enrollment.user_id AND seat.claimed_at IS NULL)
FROM judging_assignment assignment
JOIN events_enrollment enrollment ON enrollment.id = assignment.enrollment_id
JOIN events_event event ON event.id = enrollment.event_id
JOIN events_matchup matchup ON matchup.id = assignment.matchup_id
WHERE assignment.uuid = %s AND assignment.state <> 'reserved' AND enrollment.user_id = %s
"""  # noqa: S608 - names of columns


@dataclass(frozen=True)
class LoadedAssignment:
    """An assignment with its enrollment, event and matchup, and what its pages ask about them."""

    assignment: Assignment
    rules: EventRules
    # Matchups this contributor has judged so far, controls among them.
    judged: int
    # Whether an earlier skip of theirs may still be undone.
    has_undoable_skips: bool
    # Whether their seat has gone back to the pool and is to be taken again.
    is_seat_returned: bool


def load_assignment(uuid: UUID, user: User, now: datetime) -> LoadedAssignment | None:
    """This user's assignment by one statement; None for anybody else's, and for a reserve."""
    adapt = connection.ops.adapt_datetimefield_value
    key = uuid if connection.features.has_native_uuid_field else uuid.hex
    with open_cursor() as cursor:
        cursor.execute(LOAD_ASSIGNMENT_SQL, [adapt(now), key, user.pk])
        row = cursor.fetchone()
    if row is None:
        return None
    values = iter(row)
    assignment = read_instance(Assignment, values)
    enrollment, event = read_instance(Enrollment, values), read_instance(Event, values)
    matchup = read_instance(Matchup, values)
    assignment.enrollment, assignment.matchup = enrollment, matchup
    enrollment.event, enrollment.user, matchup.event = event, user, event
    rules = find_rules(Versions(event.pk, event.secret, event.version, *islice(values, 3)))
    judged, has_undoable_skips, is_seat_returned = values
    return LoadedAssignment(
        assignment, rules, judged, bool(has_undoable_skips), bool(is_seat_returned)
    )


@dataclass(frozen=True)
class MatchupTexts:
    """What is shown of a matchup as safe HTML, in canonical order."""

    messages: list[RenderedMessage]
    responses: list[str]


def load_texts(matchup_id: int) -> MatchupTexts:
    """The prompt and the responses of a matchup, by one statement where they are rendered."""
    rows = read_texts(matchup_id)
    if any(row[3] is None or (row[2] is not None and row[4] is None) for row in rows):
        ensure_rendered([rows[0][0]])
        rows = read_texts(matchup_id)
    prompt, stored = json.loads(rows[0][1]), rows[0][3]
    turns = json.loads(stored) if stored is not None else None
    return MatchupTexts(
        build_messages(prompt, turns),
        [
            html if html is not None else render_as_source(text)
            for _, _, response, _, html, text in rows
            if response is not None
        ],
    )


def read_texts(matchup_id: int) -> list[tuple[Any, ...]]:
    """Rows of `LOAD_TEXTS_SQL`."""
    with open_cursor() as cursor:
        cursor.execute(LOAD_TEXTS_SQL, [matchup_id])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def show_next_reserve(
    enrollment: Enrollment, guidelines_id: int | None, now: datetime, lease_until: datetime
) -> Assignment | None:
    """Show the contributor's next reserve; the assignment, or None if none can be shown.

    Nothing is shown beside a shown assignment, and no matchup that is out of service. Closes the
    races with another tab, with whoever takes the reserve over and with a retirement: one
    statement finds and changes the row.
    """
    columns = ", ".join(f'judging_assignment."{name}"' for name in list_columns(Assignment))
    lock = LOCK_MATCHUP.get(connection.vendor, "")
    adapt = connection.ops.adapt_datetimefield_value
    with open_cursor() as cursor:
        cursor.execute(
            SHOW_NEXT_SQL.format(lock=lock, columns=columns),
            [adapt(now), adapt(lease_until), guidelines_id, enrollment.pk],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    assignment = read_instance(Assignment, iter(row))
    assignment.enrollment = enrollment
    return assignment


def read_head(enrollment: Enrollment) -> Assignment | None:
    """The contributor's first live assignment: what is shown, else the next reserve."""
    with open_cursor() as cursor:
        cursor.execute(READ_HEAD_SQL, [enrollment.pk])
        row = cursor.fetchone()
    if row is None:
        return None
    values = iter(row)
    head, matchup = read_instance(Assignment, values), read_instance(Matchup, values)
    matchup.record = read_instance(Record, values)
    head.enrollment, head.matchup = enrollment, matchup
    return head


def can_store_at_once() -> bool:
    """Whether this database takes `store_judgment`."""
    return connection.vendor == "postgresql"


def store_judgment(judgment: Judgment, answers: list[Answer], now: datetime) -> bool:
    """Set the judgment's assignment from shown to done, and store both, by one statement.

    False, with nothing changed, if the assignment is not shown any more. Closes the race of
    identical submissions: one of them finds the row shown.
    """
    assignment = judgment.assignment
    assert assignment is not None
    values: list[Any] = [now, assignment.behaviour, assignment.pk, *list_values(judgment)]
    parts = ""
    for number, answer in enumerate(answers):
        parts += STORE_ANSWER_SQL.format(number=number, **name_columns(Answer, "judgment_id"))
        values += list_values(answer, "judgment_id")
    sql = STORE_JUDGMENT_SQL.format(answers=parts, **name_columns(Judgment))
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    if row is None:
        return False
    (judgment.pk,) = row
    judgment._state.adding = False
    return True
