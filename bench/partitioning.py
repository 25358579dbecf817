"""What partitioning the judgments by event would gain, measured on a copy of their table.

    python -m bench.partitioning [--quick]

PostgreSQL on this machine. Two copies of `judging_judgment` with the same rows, one as the table
is, one partitioned by event with what that asks for: each unique constraint carries the event.
Measured is what a judgment and sealing do to them. The schema stays without partitions as long as
nothing of that is much faster with them; foreign keys, which a copy has none of, would have to
carry the event too.
"""

# ruff: noqa: PLC0415 - tests.services is for those who have the dependencies of tests
import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from random import Random
from statistics import median

import psycopg

from bench.goals import print_goal
from bench.sites import ROOT, build_environment, find_free_port

EVENTS = 20
ROWS, QUICK_ROWS = 4_000_000, 200_000
TRIES, ROUNDS = 400, 5
# Below this nobody would rebuild every constraint and foreign key for it.
MAX_GAIN = 1.5
PLAIN, PARTITIONED = "judgment_plain", "judgment_partitioned"
COLUMNS = """uuid, judged_at, revision, standing, origin, enrollment_id, matchup_id, event_id,
    assignment_id, ledger_seq"""
UNIQUE = {
    # As the table has them: columns, then a condition.
    "enrollment_id, matchup_id": "WHERE standing",
    "assignment_id, revision": "",
    "event_id, ledger_seq": "",
}


@dataclass(frozen=True)
class Work:
    """Something that is done to the table again and again, for an event and a row's number."""

    name: str
    statement: str


# A judgment is written; the answer before it is looked up; sealing reads what is new and a batch.
WORKS = (
    Work("write", "INSERT INTO {table} ({columns}) SELECT gen_random_uuid(), now(), 0, true, "
         "'screen', {new}, {new}, {event}, {new}, NULL"),
    Work("revise", "SELECT id FROM {table} WHERE assignment_id = {row} AND revision = 0"),
    Work("unsealed", "SELECT id FROM {table} WHERE event_id = {event} AND ledger_seq IS NULL "
         "ORDER BY id LIMIT 100"),
    Work("batch", "SELECT id FROM {table} WHERE event_id = {event} AND ledger_seq > {seq} "
         "ORDER BY ledger_seq LIMIT 1000"),
)  # fmt: skip


def main() -> None:
    """Make both copies, do the same to each in turn, print the goals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="200,000 judgments, not 4,000,000")
    rows = QUICK_ROWS if parser.parse_args().quick else ROWS
    from tests.services import Services

    services = Services("postgresql")
    try:
        services.start_postgresql()
        services.start_redis()
        environment = build_environment(services, find_free_port(), "postgres")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True,
            env=os.environ | environment,
        )  # fmt: skip
        address = services.database_url("postgres").replace("postgres://", "postgresql://")
        with psycopg.connect(address, autocommit=True) as connection:
            measure(connection, rows)
    finally:
        services.stop()


def measure(connection: psycopg.Connection, rows: int) -> None:
    """Print a line for each kind of work, and how much faster it is with partitions."""
    seconds = {table: make_copy(connection, table, rows) for table in (PLAIN, PARTITIONED)}
    print(f"{rows:,} judgments of {EVENTS} events; filled in {seconds[PLAIN]:.0f} s, "
          f"with partitions in {seconds[PARTITIONED]:.0f} s")  # fmt: skip
    print(f"{'':>10}{'plain ms':>10}{'parts ms':>10}{'gain':>8}")
    gains = {}
    for work in WORKS:
        # In turns, so that a busy moment of the machine meets both.
        times: dict[str, list[float]] = {PLAIN: [], PARTITIONED: []}
        for turn in range(ROUNDS):
            for table, taken in times.items():
                taken.append(time_work(connection, work, table, rows, turn))
        plain, partitioned = (1000 * median(each) for each in times.values())
        gains[work.name] = plain / partitioned
        print(f"{work.name:>10}{plain:>10.3f}{partitioned:>10.3f}{gains[work.name]:>8.2f}")
    # What a judgment does; sealing reads a thousand rows at once, in a process of its own.
    for name in ("write", "revise"):
        print_goal(f"partitioning_gain_{name}", gains[name], MAX_GAIN)


def make_copy(connection: psycopg.Connection, table: str, rows: int) -> float:
    """Create a copy and fill it; returns the seconds of filling, indices included."""
    parts = table == PARTITIONED
    by = "PARTITION BY LIST (event_id)" if parts else ""
    run = connection.execute
    run(f"CREATE TABLE {table} (LIKE judging_judgment INCLUDING DEFAULTS INCLUDING IDENTITY) {by}")
    if parts:
        for event in range(EVENTS):
            run(f"CREATE TABLE {table}_{event} PARTITION OF {table} FOR VALUES IN ({event})")
    own = "event_id, id" if parts else "id"
    run(f"ALTER TABLE {table} ADD PRIMARY KEY ({own})")
    for columns, condition in {**UNIQUE, "uuid": ""}.items():
        keyed = columns if not parts or "event_id" in columns else f"event_id, {columns}"
        run(f"CREATE UNIQUE INDEX ON {table} ({keyed}) {condition}")
    for columns in ("event_id, id) WHERE (ledger_seq IS NULL", "matchup_id", "enrollment_id"):
        run(f"CREATE INDEX ON {table} ({columns})")
    started = time.perf_counter()
    run(
        f"""INSERT INTO {table} ({COLUMNS})
        SELECT gen_random_uuid(), now(), 0, true, 'screen', n, n, n %% {EVENTS}, n, n / {EVENTS}
        FROM generate_series(0, %s - 1) AS n""",
        [rows],
    )
    run(f"ANALYZE {table}")
    return time.perf_counter() - started


def time_work(
    connection: psycopg.Connection, work: Work, table: str, rows: int, turn: int
) -> float:
    """Seconds of one statement, on average; the same rows for either table."""
    rng = Random(turn)
    statements = []
    for number in range(TRIES):
        row = rng.randrange(rows)
        statements.append(
            work.statement.format(
                table=table, columns=COLUMNS, row=row, event=row % EVENTS,
                new=rows + turn * TRIES + number, seq=rng.randrange(rows // EVENTS),
            )
        )  # fmt: skip
    started = time.perf_counter()
    for statement in statements:
        connection.execute(statement)
    return (time.perf_counter() - started) / TRIES


if __name__ == "__main__":
    main()
