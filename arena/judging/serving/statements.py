"""The SQL that every judgment runs, written out: building it anew would cost more than running it.

Each statement names the index that it walks. All run on PostgreSQL and on SQLite alike.
"""

from datetime import datetime

from django.db import connection

# Index assignment_live, then primary keys. The matchup's row is locked so that it is not taken
# out of service at this moment (`FOR KEY SHARE` is left out on SQLite, where one writes at a time).
SHOW_NEXT_SQL = """
UPDATE judging_assignment
SET state = 'shown', shown_at = %s, lease_until = %s, guidelines_id = %s
WHERE state = 'reserved'
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
RETURNING id
"""
LOCK_MATCHUP = {"postgresql": "FOR KEY SHARE OF matchup"}


def show_next_reserve(
    enrollment_id: int, guidelines_id: int | None, now: datetime, lease_until: datetime
) -> int | None:
    """Show the contributor's next reserve; its id, or None if there is none that can be shown.

    Nothing is shown beside a shown assignment, and no matchup that is out of service. Closes the
    races with another tab, with whoever takes the reserve over and with a retirement: one
    statement finds and changes the row.
    """
    sql = SHOW_NEXT_SQL.format(lock=LOCK_MATCHUP.get(connection.vendor, ""))
    with connection.cursor() as cursor:
        adapt = connection.ops.adapt_datetimefield_value
        cursor.execute(sql, [adapt(now), adapt(lease_until), guidelines_id, enrollment_id])
        row = cursor.fetchone()
    return None if row is None else int(row[0])
