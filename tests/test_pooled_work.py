"""What takes long, through PgBouncer with two server connections, in `make test-pooled` alone.

An import of 60,000 records, votes on all of them, sealing, boards made anew, exports and a bundle,
each while somebody judges beside it: their statements take turns in the same two sessions.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from arena.events.models import Enrollment, Event, Record
from arena.judging.ledger import seal_waiting
from arena.judging.models import Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.serving.leases import next_assignment
from bench.importing import write_records, write_votes
from tests.factories import make_enrollment, make_event

RECORDS = 60_000
FIRST = 200

pytestmark = [pytest.mark.pooled, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def event(tmp_path: Path) -> Event:
    """Something to judge already, and who judges."""
    event = make_event("pooled", overlap=50, recurrence_gap=0)
    first = write_records(tmp_path / "first.jsonl", "first", FIRST)
    call_command("import_records", event.slug, first, "--yes")
    for _ in range(20):
        make_enrollment(event)
    return event


@pytest.fixture
def judged(event: Event) -> Iterator[list[int]]:
    """Somebody judges until the test has ended; the keys of the assignments they answered."""
    answered: list[int] = []
    stop, failed = threading.Event(), []
    crowd = list(Enrollment.objects.filter(event=event))

    def judge() -> None:
        rng = Random(0)
        try:
            while not stop.wait(0.05):
                assignment = next_assignment(rng.choice(crowd), rng, timezone.now())
                if assignment is not None:
                    answers = check_answers(assignment, {"preference": rng.choice(("a1", "b2"))})
                    record_judgment(assignment, answers, now=timezone.now())
                    answered.append(assignment.pk)
        except Exception as error:  # noqa: BLE001 - told in the test's own thread
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=judge)
    thread.start()
    yield answered
    stop.set()
    thread.join()
    assert failed == []


def test_large_work_runs_beside_judging(
    event: Event, judged: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = write_records(tmp_path / "many.jsonl", "many", RECORDS)
    call_command("import_records", event.slug, records, "--yes")
    assert Record.objects.filter(event=event).count() == FIRST + RECORDS
    votes = write_votes(tmp_path / "votes.csv", "many", RECORDS)
    call_command("import_judgments", event.slug, votes)
    by_screen = len(judged)
    assert by_screen > 0
    assert sum(sealed for _event, sealed in seal_waiting(timezone.now())) >= RECORDS
    call_command("refresh", event.slug, "--rebuild")
    call_command("verify_ledger", event.slug)
    assert "as written" in capsys.readouterr().out

    call_command("export", event.slug, "--format", "jsonl", "--out", tmp_path / "all.jsonl")
    with (tmp_path / "all.jsonl").open() as lines:
        assert sum(1 for _line in lines) >= RECORDS
    call_command("bundle", event.slug, "--out", tmp_path / "bundle.zip")
    assert (tmp_path / "bundle.zip").stat().st_size > RECORDS
    assert len(judged) > by_screen  # nobody was kept waiting for ever
    assert Judgment.objects.filter(assignment__in=judged).count() == len(judged)
