"""Two imports that hold their process up keep nobody else waiting: the processes of `make run`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.db import connection
from django.utils import timezone

from arena.events.importing.report import ImportReport
from arena.events.models import Event, ImportJob
from arena.events.tasks import run_import
from arena.judging.models import Judgment
from leaderboard.models import Snapshot
from serve import read_procfile
from tests.factories import (
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
)
from tests.services import ROOT, Services, wait_until
from tests.workers import stop_started, wait_for_workers

State = ImportJob.State
WORKERS = ("ledger", "boards", "imports", "exports")


@pytest.fixture
def beat(transactional_db: None, services: Services) -> Iterator[subprocess.Popen[bytes]]:
    """The site's processes on the test database, but for web; beat is the last of them."""
    with redis.Redis.from_url(services.redis_url) as client:
        client.flushall()
    name = Path(connection.settings_dict["NAME"]).name
    environment = {**os.environ, **services.environment(name), "DEBUG": "0"}
    environment["SECRET_KEY"] = "for-the-workers-of-the-tests"
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    commands = dict(read_procfile())
    started = [
        services.start(["/bin/sh", "-c", f"exec {commands[role]}"], None, env=environment, cwd=ROOT)
        for role in (*WORKERS, "beat")
    ]
    try:
        wait_for_workers(started[0], count=len(WORKERS))
        yield started[-1]
    finally:
        stop_started(services, started)


def upload_pipe(event: Event) -> Path:
    """An upload that nobody can read to its end until somebody writes into it."""
    job = ImportJob.objects.create(
        event=event, created_at=timezone.now(), format="jsonl", heartbeat_at=timezone.now()
    )
    job.file.name = f"imports/{job.uuid}"
    job.save()
    path = Path(job.file.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    run_import.delay(job.pk)
    return path


def test_two_imports_without_an_end_keep_no_other_event_waiting(
    beat: subprocess.Popen[bytes],
) -> None:
    pipes = [upload_pipe(make_event(f"hostile-{number}")) for number in range(2)]
    first = ImportJob.objects.order_by("pk")[0]
    wait_until(lambda: ImportJob.objects.filter(pk=first.pk, state=State.CHECKING).exists(), beat)

    event = make_event("tea")
    make_matchup(event, make_competitors(event, 2))
    judgment = make_judgment(make_enrollment(event), now=timezone.now())
    wait_until(lambda: Judgment.objects.filter(pk=judgment.pk, ledger_seq=1).exists(), beat)
    wait_until(lambda: Snapshot.objects.filter(event=event).exists(), beat)

    # All of that went past the two, one of which has not even begun.
    states = ImportJob.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.CHECKING, State.QUEUED]
    for pipe in pipes:  # what comes out at last says nothing, and is not read to its end
        with pipe.open("wb") as end:
            end.write(b"{}\n" * 1_500)
    over = ImportJob.objects.filter(state=State.REFUSED)
    wait_until(lambda: over.count() == 2, beat)
    for job in over:
        said = [error.message for error in ImportReport.from_json(job.report).errors]
        assert any("Reading stopped at line 1,001" in message for message in said)
