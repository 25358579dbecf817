"""Public boards come from the replica, for strangers alone, and from the primary without it."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.services import ROOT

pytestmark = pytest.mark.any_database

SCRIPT = """
from django.test import Client
from arena.people.models import User
from arena.events.models import Event
path = f"/events/{Event.objects.get().slug}/leaderboard/"
signed_in = Client()
signed_in.force_login(User.objects.create(username="ada"))
for client in (Client(), signed_in):
    page = client.get(path, headers={"host": "localhost"}).content.decode()
    print("of the replica" in page, "of the primary" in page)
"""
CREATE = """
from arena.events.lifecycle.creation import NewEvent, create_event
settings = {"state": "open"}
create_event(NewEvent("tea", "of the replica", "# Be fair", settings), organizer=None)
"""
RENAME = "from arena.events.models import Event; Event.objects.update(title='of the primary')"


@pytest.fixture(scope="module")
def files(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of one event, and a copy of its database in which that has another title."""
    folder = tmp_path_factory.mktemp("replica")
    (folder / "static").mkdir()
    shutil.copy(migrated, folder / "arena.sqlite3")
    manage(folder, "shell", "-v0", "-c", CREATE)
    with (
        closing(sqlite3.connect(folder / "arena.sqlite3")) as primary,
        closing(sqlite3.connect(folder / "replica.sqlite3")) as replica,
    ):
        primary.backup(replica)
    manage(folder, "shell", "-v0", "-c", RENAME)
    return folder


def manage(folder: Path, *words: str, replica: str = "") -> str:
    """Run manage.py on SQLite in this folder; what it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "ARENA_VAR": str(folder),
        "DEBUG": "1",
        "DATABASE_REPLICA_URL": f"sqlite:///{folder / replica}" if replica else "",
    }
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("replica", "stranger"),
    [("replica.sqlite3", "True False"), ("", "False True"), ("no/such/file", "False True")],
)
def test_who_reads_what(files: Path, replica: str, stranger: str) -> None:
    script = SCRIPT.replace("ada", f"ada-{len(replica)}")
    said = manage(files, "shell", "-v0", "-c", script, replica=replica)
    assert said.split("\n")[:2] == [stranger, "False True"]
