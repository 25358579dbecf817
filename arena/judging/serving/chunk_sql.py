"""The SQL that every chunk of reserves runs, written out; `windows` finds what is in it.

Each statement names the index that it walks. All run on PostgreSQL and on SQLite alike.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from arena.events.models import Enrollment
from arena.judging.models import Assignment
from arena.model_rows import IS_ONE_OF, open_cursor, write_ids

# Indices assignment_live; exclusion_enrollment_in_force_once; matchup_serving; those of the
# assignments that are shown and of the enrollment's assignments.
READ_TURN_SQL = """
SELECT
  EXISTS (SELECT 1 FROM judging_assignment live
    WHERE live.enrollment_id = %s AND live.state IN ('reserved', 'shown')),
  EXISTS (SELECT 1 FROM judging_exclusion exclusion
    WHERE exclusion.enrollment_id = %s AND exclusion.lifted_at IS NULL),
  (SELECT COALESCE(SUM(wanting.open_slots), 0) FROM (
    SELECT matchup.open_slots FROM events_matchup matchup
    WHERE matchup.event_id = %s AND matchup.role = 'ordinary' AND matchup.open_slots > 0
      AND matchup.retired_at IS NULL
    ORDER BY matchup.open_slots DESC LIMIT %s) wanting),
  (SELECT COUNT(*) FROM (
    SELECT 1 FROM judging_assignment shown
    JOIN events_enrollment enrollment ON enrollment.id = shown.enrollment_id
    WHERE shown.state = 'shown' AND enrollment.event_id = %s LIMIT %s) working),
  (SELECT {join}(CAST(recent.record_id AS {text}), ',') FROM (
    SELECT matchup.record_id FROM judging_assignment earlier
    JOIN events_matchup matchup ON matchup.id = earlier.matchup_id
    WHERE earlier.enrollment_id = %s ORDER BY earlier.ordinal DESC LIMIT %s) recent)
"""
READ_TURN_SQL_OF = {
    "postgresql": READ_TURN_SQL.format(join="string_agg", text="text"),
    "sqlite": READ_TURN_SQL.format(join="group_concat", text="text"),
}
# Where the end is nowhere near, no more rows than these are looked at to find that out.
MAX_SLOTS_SCANNED = 2_000
MAX_ACTIVE_SCANNED = 1_000
# Primary keys. The condition stands twice: a row that somebody changed between being found and
# being locked is looked at again.
TAKE_SLOTS_SQL = """
UPDATE events_matchup SET open_slots = open_slots - %s
WHERE open_slots > 0 AND retired_at IS NULL AND id IN (
  SELECT id FROM events_matchup
  WHERE open_slots > 0 AND retired_at IS NULL AND id {one_of}
  ORDER BY id {lock})
RETURNING id
"""
SKIP_LOCKED = {"postgresql": "FOR NO KEY UPDATE SKIP LOCKED"}
# Primary key.
LOCK_SERVED_SQL = "SELECT served FROM events_enrollment WHERE id = %s {lock}"
SET_SERVED_SQL = "UPDATE events_enrollment SET served = %s WHERE id = %s"
LOCK = {"postgresql": "FOR NO KEY UPDATE"}
# One value holds all rows: the statement is the same for every chunk. (SQLite inserts by the ORM.)
STORE_RESERVES_SQL = """
INSERT INTO judging_assignment (uuid, enrollment_id, matchup_id, ordinal, "order", state,
  holds_slot, reserved_at, lease_until, skip_reason, probability)
SELECT uuid, %s, matchup_id, ordinal, "order", 'reserved', holds_slot, %s, %s, '', probability
FROM json_to_recordset(%s::json) AS reserve(uuid uuid, matchup_id bigint, ordinal integer,
  "order" jsonb, holds_slot boolean, probability double precision)
"""


def lock_served(enrollment_id: int) -> int:
    """Lock the enrollment until the caller's transaction ends; its last ordinal."""
    with open_cursor() as cursor:
        cursor.execute(
            LOCK_SERVED_SQL.format(lock=LOCK.get(connection.vendor, "")), [enrollment_id]
        )
        (served,) = cursor.fetchone()
    return int(served)


def set_served(enrollment_id: int, served: int) -> None:
    """Note the last ordinal, inside the transaction that has locked the enrollment."""
    with open_cursor() as cursor:
        cursor.execute(SET_SERVED_SQL, [served, enrollment_id])


@dataclass(frozen=True)
class TurnState:
    """What a chunk for a contributor depends on."""

    # Whether they have a matchup or a reserve already.
    has_live: bool
    is_excluded: bool
    # Slots that ordinary matchups still want, and contributors at work; no more than are counted.
    open_slots: int
    active: int
    # Ids of the records of their last assignments, whose prompts must not recur yet.
    recent_records: list[int]


def read_turn_state(enrollment: Enrollment) -> TurnState:
    """All of it by one statement."""
    event, person = enrollment.event, enrollment.pk
    values = [person, person, event.pk, MAX_SLOTS_SCANNED, event.pk, MAX_ACTIVE_SCANNED]
    with open_cursor() as cursor:
        cursor.execute(READ_TURN_SQL_OF[connection.vendor], [*values, person, event.recurrence_gap])
        has_live, is_excluded, open_slots, active, recent = cursor.fetchone()
    records = [int(pk) for pk in recent.split(",")] if recent else []
    return TurnState(bool(has_live), bool(is_excluded), open_slots, active, records)


def take_slots(matchup_ids: Sequence[int], *, holds: bool) -> set[int]:
    """Take one open slot of each of these ordinary matchups, inside the caller's transaction.

    Returns the ids of those that had one. A matchup that somebody else is taking at this moment
    is left out instead of waited for. What holds no slot needs one that is open, and leaves it.
    """
    vendor = connection.vendor
    sql = TAKE_SLOTS_SQL.format(one_of=IS_ONE_OF[vendor], lock=SKIP_LOCKED.get(vendor, ""))
    with open_cursor() as cursor:
        cursor.execute(sql, [int(holds), write_ids(matchup_ids)])
        return {pk for (pk,) in cursor.fetchall()}


def store_reserves(reserves: Iterable[Assignment]) -> None:
    """Write the reserves of one contributor's chunk, inside the caller's transaction."""
    chunk = list(reserves)
    if connection.vendor != "postgresql":
        Assignment.objects.bulk_create(chunk)
        return
    rows = [
        {
            "uuid": str(one.uuid),
            "matchup_id": one.matchup_id,
            "ordinal": one.ordinal,
            "order": one.order,
            "holds_slot": one.holds_slot,
            "probability": one.probability,
        }
        for one in chunk
    ]
    first = chunk[0]
    with open_cursor() as cursor:
        cursor.execute(
            STORE_RESERVES_SQL,
            [first.enrollment_id, first.reserved_at, first.lease_until, json.dumps(rows)],
        )
