"""deploy/backup.sh and restore.sh on a real PostgreSQL, and what is left when a backup fails."""

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from arena.events.models import Event
from arena.exports.bundle import ensure_bundle
from arena.judging.leaving.erasure import erase_contributor
from arena.judging.ledger import seal_event
from leaderboard.models import Snapshot
from leaderboard.snapshots.refresh import refresh_fully
from tests.exports.cast import vote_often
from tests.factories import NOW, make_competitors, make_event, make_matchup, make_user
from tests.services import ROOT, Services

BACKUP = re.compile(r"20\d\d-\d\d-\d\dT\d{6}Z")
WALRUS = ("quixotic-walrus", "walrus@example.org", "Sir Walrus")


@dataclass(frozen=True)
class Scripts:
    """The scripts, with the programs that they reach a site by."""

    folder: Path
    environment: dict[str, str]

    def run(self, script: str, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", f"deploy/{script}.sh", *words],
            cwd=ROOT, env=self.environment | variables, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def backups(self) -> dict[str, dict[str, bytes]]:
        """Every backup there is, with its files."""
        return {
            path.name: {file.name: file.read_bytes() for file in path.iterdir()}
            for path in sorted(self.folder.iterdir())
        }


# --- a site of made-up programs -----------------------------------------------------------------
@pytest.fixture
def sketch(tmp_path: Path) -> Scripts:
    """A site whose database and code are one shell script: what each step says is decided here."""
    program = tmp_path / "site"
    program.write_text(
        "#!/bin/sh\n"
        'case "$1 $2" in\n'
        '  "pg_dump "*) eval "${DUMPING:-echo dump}" ;;\n'
        '  "pg_restore --list") cat >/dev/null; echo "$LISTED" ;;\n'
        '  "pg_restore "*) cat >/dev/null; exit "${DAMAGED:-0}" ;;\n'
        "  *manage.py*) echo '{}' ;;\n"
        '  "sh "*) tar --create --files-from /dev/null ;;\n'
        "esac\n"
    )
    program.chmod(0o755)
    environment = os.environ | {
        "DATABASE_IN": str(program),
        "SITE_IN": str(program),
        "LISTED": "1; TABLE DATA public judging_judgment arena",
    }
    return Scripts(tmp_path / "backups", environment)


def test_a_backup_appears_whole_and_the_oldest_goes(sketch: Scripts) -> None:
    sketch.folder.mkdir()
    for day in ("01", "02", "03"):
        (sketch.folder / f"2020-01-{day}T031700Z").mkdir()
    done = sketch.run("backup", str(sketch.folder), KEEP="3")
    assert done.returncode == 0, done.stderr
    *earlier, newest = sketch.backups().items()
    assert [name for name, _ in earlier] == ["2020-01-02T031700Z", "2020-01-03T031700Z"]
    assert BACKUP.fullmatch(newest[0])
    assert newest[1].keys() == {"arena.dump", "erasures.json", "files.tar", "state.json"}


@pytest.mark.parametrize(
    "fault",
    [
        {"DUMPING": "echo half; exit 1"},
        {"DAMAGED": "1"},
        # As on a disk that is full: nothing over 4 kB can be written.
        {"DUMPING": "ulimit -f 8; trap '' XFSZ; head -c 100000 /dev/zero"},
    ],
    ids=["pg_dump", "damage", "disk"],
)
def test_a_failing_backup_leaves_the_earlier_ones(sketch: Scripts, fault: dict[str, str]) -> None:
    assert sketch.run("backup", str(sketch.folder)).returncode == 0
    before = sketch.backups()
    done = sketch.run("backup", str(sketch.folder), KEEP="1", **fault)
    assert done.returncode == 1
    assert "FAILED" in done.stderr
    assert sketch.backups() == before


def test_a_killed_backup_leaves_the_earlier_ones_and_is_swept(sketch: Scripts) -> None:
    assert sketch.run("backup", str(sketch.folder)).returncode == 0
    before = sketch.backups()
    process = subprocess.Popen(
        ["sh", "deploy/backup.sh", str(sketch.folder)],
        cwd=ROOT,
        env=sketch.environment | {"DUMPING": "echo half; sleep 600"},
        start_new_session=True,
    )
    while not any(path.stat().st_size for path in sketch.folder.glob(".draft.*/arena.dump")):
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    left = {name for name in sketch.backups() if BACKUP.fullmatch(name)}
    assert left == before.keys()
    assert len(list(sketch.folder.iterdir())) == 2
    (draft,) = sketch.folder.glob(".draft.*")
    os.utime(draft, (0, 0))
    assert sketch.run("backup", str(sketch.folder), KEEP="9").returncode == 0
    assert not list(sketch.folder.glob(".draft.*"))


# --- a real one ---------------------------------------------------------------------------------
@pytest.fixture
def scripts(services: Services, tmp_path: Path) -> Scripts:
    """The scripts as they run where PostgreSQL is reached directly."""
    if services.database != "postgresql":
        pytest.skip("backs up PostgreSQL")
    programs = Path(services.postgresql_command[0]).parent
    database = connection.settings_dict["NAME"]
    environment = services.environment(database) | {
        "PATH": f"{programs}:{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
        "PGHOST": str(services.folder / "postgresql"),
        "PGDATABASE": database,
        "DATABASE_IN": "env",
        "SITE_IN": "env",
        "ARENA_VAR": str(settings.VAR),
        "SECRET_KEY": settings.SECRET_KEY,
    }
    return Scripts(tmp_path / "backups", environment)


def sealed_round() -> Event:
    """An event with a sealed round, its bundle, and a contributor named Walrus."""
    event = make_event("fair")
    vote_often(event, make_matchup(event, make_competitors(event, 2)), 3, 1)
    seal_event(event.pk, NOW)
    refresh_fully(event, now=NOW)
    snapshot = event.snapshots.latest()
    Snapshot.objects.filter(pk=snapshot.pk).update(name="Round 1", sealed_at=NOW)
    snapshot.refresh_from_db()
    ensure_bundle(snapshot)
    return event


def read_tables(address: str) -> str:
    """Every row of every table of a database."""
    with psycopg.connect(address) as restored:
        tables = restored.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return "\n".join(
            str(row)
            for (table,) in tables.fetchall()
            for row in restored.execute(f'SELECT t::text FROM "{table}" t').fetchall()
        )


@pytest.mark.django_db(transaction=True)
def test_what_is_restored_is_what_was_there_but_for_who_has_left(
    scripts: Scripts, services: Services
) -> None:
    event = sealed_round()
    walrus = make_user(WALRUS[0], email=WALRUS[1], display_name=WALRUS[2])
    event.enrollments.filter(pk=event.enrollments.earliest("pk").pk).update(user=walrus)
    done = scripts.run("backup", str(scripts.folder))
    assert done.returncode == 0, done.stderr
    erase_contributor(walrus, NOW)  # after the dump
    (name, files), *_ = scripts.backups().items()
    backup = str(scripts.folder / name)
    assert json.loads(files["state.json"])["bundles"].keys() == {
        f"fair-{event.snapshots.get().pk}-without-controls.zip"
    }

    refused = scripts.run("restore", backup)
    assert (refused.returncode, "--replace" in refused.stderr) == (2, True)
    drilled = scripts.run("restore", "--drill", backup)
    assert drilled.returncode == 0, drilled.stderr
    assert "1 heads, 1 boards, 1 bundles. Erased again: 1." in drilled.stdout

    # Into a database that is kept, to be looked at, with another board than the one written down.
    there = {"PGDATABASE": "restored", "DATABASE_URL": services.database_url("restored")}
    state = files["state.json"].replace(b'"boards": {"', b'"boards": {"9')
    (scripts.folder / name / "state.json").write_bytes(state)
    differing = scripts.run("restore", backup, **there)
    assert differing.returncode == 1
    assert "is missing or differs" in differing.stdout
    host = services.folder / "postgresql"
    address = f"postgresql://arena@/restored?host={host}"
    assert all(word in read_tables(address) for word in WALRUS)
    (scripts.folder / name / "state.json").write_bytes(files["state.json"])
    assert scripts.run("restore", "--replace", backup, **there).returncode == 0
    assert not [word for word in WALRUS if word in read_tables(address)]
    with psycopg.connect(address.replace("/restored", "/postgres"), autocommit=True) as server:
        server.execute("DROP DATABASE restored WITH (FORCE)")  # the pool keeps a session
