"""Fills a PostgreSQL database with an event of many judgments, inside the server.

Competitor i has the strength 0.02·i; a fifth of the answers are ties; every tenth judgment is of
one of a few controls that everybody meets, whose keys name the stronger side. Everything follows
from the row's number and a seeded `random()`, so that two runs measure the same event.
"""

from dataclasses import dataclass

from django.db import connection
from django.db.backends.utils import CursorWrapper

from arena.events.lifecycle.creation import NewEvent, create_event
from arena.events.models import Event


@dataclass(frozen=True)
class Size:
    """How large the event is."""

    judgments: int
    competitors: int = 100
    records: int = 5_000
    overlap: int = 5
    contributors: int = 20_000
    controls: int = 200
    categories: int = 6

    @property
    def ordinary(self) -> int:
        """Matchups that are no controls, which come after those that are."""
        return self.judgments * 9 // 10 // self.overlap

    @property
    def matchups(self) -> int:
        return self.controls + self.ordinary

    @property
    def answers(self) -> int:
        """How many people judge each control."""
        return self.judgments // 10 // self.controls

    @property
    def every(self) -> int:
        """A control is judged by one of every so many people."""
        return self.contributors // self.answers


COMPUTED = ("ordinary", "matchups", "answers", "every")

# Row numbers start at 0; ids of an empty database at 1. The judgments are inserted in ledger
# order, which walks through all ordinary matchups by a stride before it comes to the first again.
STATEMENTS = """
INSERT INTO events_competitor (event_id, name, organization, licence, version, joined_late)
SELECT {event}, 'model-' || c, 'lab-' || c % 12, 'open', '', false
FROM generate_series(0, {competitors} - 1) c;

INSERT INTO events_category (event_id, slug, name)
SELECT {event}, 'category-' || k, 'Category ' || k FROM generate_series(0, {categories} - 1) k;

INSERT INTO events_record (event_id, external_id, prompt, metadata, imported_at)
SELECT {event}, 'record-' || r, '[]', '{{}}', now() FROM generate_series(0, {records} - 1) r;

INSERT INTO events_record_categories (record_id, category_id)
SELECT r.id, k.id
FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n
      FROM events_record WHERE event_id = {event}) r
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n
      FROM events_category WHERE event_id = {event}) k ON r.n % {categories} = k.n;

INSERT INTO events_response
    (record_id, competitor_id, text, length, headers, bold, lists, code)
SELECT r.id, c.id, 'text', 50 + (r.id * 7 + c.id * 13) % 200, r.id * c.id % 4,
       (r.id + c.id * 5) % 7, (r.id * 3 + c.id) % 5, (r.id + c.id) % 2
FROM events_record r CROSS JOIN events_competitor c
WHERE r.event_id = {event} AND c.event_id = {event} ORDER BY r.id, c.id;

INSERT INTO events_enrollment (event_id, kind, pseudonym, public_id, joined_at, served)
SELECT {event}, 'human', 'person-' || u, gen_random_uuid(), now(), 0
FROM generate_series(0, {contributors} - 1) u;

INSERT INTO events_matchup (event_id, record_id, key, role, open_slots, shuffle)
SELECT {event}, {first_record} + m % {records}, m::text,
       CASE WHEN m < {controls} THEN 'control' ELSE 'ordinary' END, 0, random()
FROM generate_series(0, {matchups} - 1) m;

CREATE UNLOGGED TABLE bench_pair AS
SELECT m, {first_matchup} + m AS matchup, least(i, j) AS i, greatest(i, j) AS j,
       {first_response} + (m % {records}) * {competitors} + least(i, j) AS first,
       {first_response} + (m % {records}) * {competitors} + greatest(i, j) AS second
FROM (SELECT m, m % {competitors} AS i,
             (m % {competitors} + 1 + m / {competitors} % ({competitors} - 1)) % {competitors} AS j
      FROM generate_series(0, {matchups} - 1) m) drawn;

INSERT INTO events_control (matchup_id, question_id, key, reason, retired_because)
SELECT matchup, {question}, '{{"sign": -1}}', '', '' FROM bench_pair WHERE m < {controls};
"""

JUDGMENTS = """
INSERT INTO judging_judgment
    (uuid, event_id, enrollment_id, matchup_id, origin, judged_at, revision, standing, ledger_seq)
SELECT lpad(to_hex(s), 32, '0')::uuid, {event},
       {first_enrollment} + person, {first_matchup} + m, 'screen',
       now() - ({judgments} - s) * interval '0.2 s', 0, true, s + 1
FROM (SELECT s, k AS m, r % {answers} * {every} + (k + r / {answers}) % {every} AS person
      FROM (SELECT s, s / 10 % {controls} AS k, s / 10 / {controls} AS r
            FROM generate_series({first}::bigint, {last}::bigint) s WHERE s % 10 = 0) control
      UNION ALL
      SELECT s, m, (m * 7919 + n / {ordinary} * 3571) % {contributors}
      FROM (SELECT s, n, {controls} + n * 7368787 % {ordinary} AS m
            FROM (SELECT s, s - s / 10 - 1 AS n
                  FROM generate_series({first}::bigint, {last}::bigint) s WHERE s % 10 > 0) place
           ) ordinary) walk
ORDER BY s;

INSERT INTO judging_answer
    (judgment_id, question_id, first_id, second_id, outcome, both_bad, first_on_left)
SELECT id, {question}, first, second,
       CASE WHEN luck < 0.2 THEN 0
            WHEN (luck - 0.2) / 0.8 < 1 / (1 + exp(0.02 * (j - i))) THEN 1
            ELSE -1 END,
       false, random() < 0.5
FROM (SELECT judgment.id, bench_pair.*, random() AS luck
      FROM judging_judgment judgment JOIN bench_pair ON bench_pair.matchup = judgment.matchup_id
      WHERE judgment.ledger_seq > {first} ORDER BY judgment.ledger_seq) voted;

INSERT INTO judging_ledgerbatch (event_id, first_seq, last_seq, digest, sealed_at)
VALUES ({event}, {first} + 1, {last} + 1, 'of a benchmark', now());
"""


def make_event(size: Size) -> Event:
    """An open event of this size, with every judgment sealed, in an otherwise empty database."""
    event = create_event(NewEvent("bench", "Bench", settings={"state": "open"}), organizer=None)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no foreign-key triggers
        cursor.execute("SELECT setseed(0.5)")
        indices = drop_indices(cursor)
        numbers = collect_numbers(cursor, event, size)
        run_statements(cursor, STATEMENTS, numbers)
        run_statements(cursor, JUDGMENTS, numbers | {"first": 0, "last": size.judgments - 1})
        for definition in indices:
            cursor.execute(definition)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")
    return event


def add_judgments(event: Event, size: Size, first: int, count: int) -> None:
    """So many further judgments, sealed, of people who have not judged these matchups before."""
    with connection.cursor() as cursor:
        numbers = collect_numbers(cursor, event, size)
        run_statements(cursor, JUDGMENTS, numbers | {"first": first, "last": first + count - 1})


def collect_numbers(cursor: CursorWrapper, event: Event, size: Size) -> dict[str, object]:
    """What the statements refer to; the tables hold this one event."""
    numbers: dict[str, object] = {
        "event": event.pk,
        "question": event.questions.get(kind="preference").pk,
        **{name: getattr(size, name) for name in (*Size.__annotations__, *COMPUTED)},
    }
    for noun in ("record", "response", "enrollment", "matchup"):
        cursor.execute(f"SELECT coalesce(min(id), 1) FROM events_{noun}")
        numbers[f"first_{noun}"] = cursor.fetchone()[0]
    return numbers


def run_statements(cursor: CursorWrapper, statements: str, numbers: dict[str, object]) -> None:
    """Each statement with the numbers in their places."""
    for statement in statements.split(";\n"):
        if statement.strip():
            cursor.execute(statement.format(**numbers))


def drop_indices(cursor: CursorWrapper) -> list[str]:
    """Drop the indices of the two large tables; the statements that build them again at the end."""
    cursor.execute("""
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
               format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
                      pg_get_constraintdef(oid))
        FROM pg_constraint
        WHERE conrelid IN ('judging_judgment'::regclass, 'judging_answer'::regclass)
          AND contype = 'u'
        UNION ALL
        SELECT format('DROP INDEX %I', indexname), indexdef
        FROM pg_indexes
        WHERE tablename IN ('judging_judgment', 'judging_answer')
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)
    """)
    pairs = cursor.fetchall()
    for drop, _ in pairs:
        cursor.execute(drop)
    return [build for _, build in pairs]
