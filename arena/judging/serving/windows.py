"""The SQL that finds matchups for a chunk, written out: windows of a fixed shuffled order.

Each window begins at a random entry point, goes on at the beginning of the order, and walks one
index no further than it has to: `matchup_open` (any ordinary matchup that wants judgments),
`matchup_serving` (those that want a certain number), `matchup_open_pair` (those of one pair of
competitors), `matchup_control`. All run on PostgreSQL and on SQLite alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from arena.events.models import ImportJob, Matchup
from arena.judging.models import Assignment
from arena.judging.serving.chunk_sql import SKIP_LOCKED
from arena.model_rows import IS_NONE_OF, IS_ONE_OF, open_cursor, write_ids

FIELDS = ("id", "event_id", "record_id", "key", "role", "open_slots", "pair")
COLUMNS = ", ".join(f"matchup.{name}" for name in FIELDS)
# `MatchupQuerySet.serving`, and neither assigned (unless that expired) nor judged. Roles stand in
# the text, since the indices have conditions.
UNMET_SQL = f"""
FROM events_matchup matchup JOIN events_record record ON record.id = matchup.record_id
WHERE matchup.event_id = %s AND matchup.role = '{{role}}'{{wanting}}
  AND matchup.retired_at IS NULL AND record.retired_at IS NULL
  AND record.imported_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM judging_assignment given
    WHERE given.matchup_id = matchup.id AND given.enrollment_id = %s
      AND given.state <> '{Assignment.State.EXPIRED}')
  AND NOT EXISTS (SELECT 1 FROM judging_judgment judged
    LEFT JOIN events_importjob job ON job.id = judged.import_job_id
    WHERE judged.matchup_id = matchup.id AND judged.enrollment_id = %s AND judged.standing
      AND (judged.import_job_id IS NULL OR job.state = '{ImportJob.State.DONE}')){{spaced}}
"""  # noqa: S608 - constants
HALF_SQL = "SELECT {columns} {unmet} AND matchup.shuffle {side} %s{also} ORDER BY matchup.shuffle"
LEVEL_SQL = "SELECT matchup.open_slots {unmet}{below} ORDER BY matchup.open_slots DESC LIMIT 1"
# Index of the matchup's assignments.
COUNT_SHOWINGS_SQL = """
SELECT matchup_id, COUNT(*) FROM judging_assignment
WHERE matchup_id {one_of}
  AND (state IN ('reserved', 'shown', 'done') OR (state = 'skipped' AND lease_until > %s))
GROUP BY matchup_id
"""
# Primary keys.
LOCK_CONTROLS_SQL = """
SELECT id FROM events_matchup WHERE id {one_of} AND retired_at IS NULL ORDER BY id {lock}
"""


@dataclass(frozen=True)
class Unmet:
    """The matchups in service of one role that a contributor has not met."""

    event_id: int
    enrollment_id: int
    role: str
    # Records whose prompts must not recur yet.
    recent_records: Sequence[int] = ()
    # Only those that still want judgments.
    is_open: bool = False

    def render(self) -> str:
        """FROM and WHERE."""
        wanting = " AND matchup.open_slots > 0" if self.is_open else ""
        spaced = ""
        if self.recent_records:
            spaced = f"\n  AND matchup.record_id {IS_NONE_OF[connection.vendor]}"
        return UNMET_SQL.format(role=self.role, wanting=wanting, spaced=spaced)

    def list_values(self) -> list[Any]:
        values: list[Any] = [self.event_id, self.enrollment_id, self.enrollment_id]
        return [*values, write_ids(self.recent_records)] if self.recent_records else values

    def as_subquery(self) -> RawSQL:
        """Their primary keys, for `__in`."""
        return RawSQL(f"SELECT matchup.id {self.render()}", self.list_values())  # noqa: S611


def sample_window(unmet: Unmet, rng: Random, size: int) -> list[Matchup]:
    """Up to `size` of these matchups from a random entry point on; in random order."""
    sql, values = write_ring(unmet, rng.random())
    found = list(fetch(f"{sql} LIMIT {size}", values))
    rng.shuffle(found)
    return found


def sample_level(unmet: Unmet, rng: Random, size: int, below: int | None) -> list[Matchup]:
    """The same of those that want most judgments, or most of those that want fewer than `below`."""
    limit = "" if below is None else " AND matchup.open_slots < %s"
    level = LEVEL_SQL.format(unmet=unmet.render(), below=limit)
    ring, values = write_ring(
        unmet, rng.random(), " AND matchup.open_slots = (SELECT open_slots FROM level)"
    )
    sql = f"WITH level AS ({level}) {ring} LIMIT {size}"
    found = list(fetch(sql, [*unmet.list_values(), *([] if below is None else [below]), *values]))
    rng.shuffle(found)
    return found


def sample_pairs(unmet: Unmet, rng: Random, sizes: Mapping[str, int]) -> dict[str, list[Matchup]]:
    """Such a window of each of these pairs by itself, by one statement for all of them."""
    windows: dict[str, list[Matchup]] = {pair: [] for pair in sizes}
    arms: list[str] = []
    values: list[Any] = []
    for pair, size in sizes.items():
        ring, its = write_ring(unmet, rng.random(), " AND matchup.pair = %s", [pair])
        arms.append(f"SELECT * FROM ({ring} LIMIT {size}) AS pair{len(arms)}")  # noqa: S608
        values += its
    if arms:
        for matchup in fetch(" UNION ALL ".join(arms), values, connection.cursor()):
            windows[matchup.pair].append(matchup)
    for window in windows.values():
        rng.shuffle(window)
    return windows


def write_ring(
    unmet: Unmet, entry: float, also: str = "", values: Sequence[Any] = ()
) -> tuple[str, list[Any]]:
    """The order from an entry point on, and then its beginning, which is not read where the limit
    that is put behind it is reached before."""
    halves = [
        f"SELECT * FROM ({half}) AS half{number}"  # noqa: S608 - constants
        for number, side in enumerate((">=", "<"))
        for half in [HALF_SQL.format(columns=COLUMNS, unmet=unmet.render(), side=side, also=also)]
    ]
    return " UNION ALL ".join(halves), [*unmet.list_values(), entry, *values] * 2


def fetch(sql: str, values: Sequence[Any], cursor: Any = None) -> Iterator[Matchup]:
    """The matchups of a statement that selects `FIELDS`.

    cursor: for a statement that is seldom the same twice, and would drive out what is prepared.
    """
    with cursor or open_cursor() as used:
        used.execute(sql, values)
        for row in used.fetchall():
            yield Matchup.from_db("default", FIELDS, row)


def lock_controls(ids: Sequence[int]) -> set[int]:
    """Those in service of these that nobody else has locked, now locked by the caller's
    transaction."""
    vendor = connection.vendor
    sql = LOCK_CONTROLS_SQL.format(one_of=IS_ONE_OF[vendor], lock=SKIP_LOCKED.get(vendor, ""))
    with open_cursor() as cursor:
        cursor.execute(sql, [write_ids(ids)])
        return {pk for (pk,) in cursor.fetchall()}


def count_showings(ids: Sequence[int], now: datetime) -> dict[int, int]:
    """By matchup: assignments that are live or done, and skips that may be undone yet."""
    moment = connection.ops.adapt_datetimefield_value(now)
    sql = COUNT_SHOWINGS_SQL.format(one_of=IS_ONE_OF[connection.vendor])
    with open_cursor() as cursor:
        cursor.execute(sql, [write_ids(ids), moment])
        return dict(cursor.fetchall())
