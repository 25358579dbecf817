"""Imports of records that are killed, fail, or meet another one."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from arena.errors import ConflictError
from arena.events.importing import (
    ImportBusyError,
    import_records,
    running,
)
from arena.events.importing.jobs import JobHold
from arena.events.models import (
    Competitor,
    Event,
    ImportJob,
    Matchup,
    Record,
    StagedRecord,
)
from tests.events.record_files import bring, everything, jsonl, record
from tests.factories import NOW, make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return make_event()


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run an import that dies as if by SIGKILL: nobody lets go, and its heartbeat grows old."""

    def run(event: Event, rows: list[Any], where: str, batch: int) -> None:
        original = getattr(running, where)
        calls = iter(range(1, 100))

        def dies(*args: Any) -> None:
            if next(calls) == batch:
                raise KeyboardInterrupt
            original(*args)

        with monkeypatch.context() as patch:
            patch.setattr(running, where, dies)
            patch.setattr(running, "ROWS_PER_BATCH", 10)
            patch.setattr(JobHold, "release", lambda *args: None)
            with pytest.raises(KeyboardInterrupt):
                bring(event, rows)
        old = timezone.now() - 2 * ImportJob.STALE_AFTER
        ImportJob.objects.under_way().update(heartbeat_at=old)

    return run


def test_a_killed_import_is_seen_by_nobody_and_cleaned_up_by_the_next(
    event: Event, killed: Callable[..., None]
) -> None:
    bring(event, [record(100)])
    before = everything()
    rows = [
        record(n, responses={"Ash 1": "a", f"New {n % 3}": "b"}, categories=["y"]) for n in range(6)
    ]
    killed(event, rows, "create_batch", 3)

    assert Record.objects.filter(imported_at=None).exists()
    assert Matchup.objects.serving().count() == 1
    assert bring(event, [record(100, prompt="")]).error_total == 1
    assert everything() == before
    assert list(ImportJob.objects.values_list("state", flat=True)) == ["refused", "failed", "done"]
    assert bring(event, rows).created == 6


def test_an_import_killed_while_it_applied_changes_is_finished_by_the_next(
    event: Event, killed: Callable[..., None]
) -> None:
    bring(event, [record(1)])
    killed(event, [record(1, prompt="Other?"), record(2)], "apply_staged", 1)
    assert Record.objects.filter(imported_at__isnull=False).count() == 2

    assert bring(event, [record(3)]).created == 1

    assert Record.objects.get(external_id="r1").prompt[0]["content"] == "Other?"
    assert not StagedRecord.objects.exists()
    assert not ImportJob.objects.under_way().exists()


def test_an_import_that_fails_is_let_go_of_at_once(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(running, "create_batch", fails)
        with pytest.raises(OSError, match="disk full"):
            bring(event, [record(1)])

    assert ImportJob.objects.get().state == ImportJob.State.FAILED
    assert bring(event, [record(1)]).created == 1
    assert Competitor.objects.count() == 2


def test_one_import_at_a_time(event: Event) -> None:
    running_job = ImportJob.objects.create(
        event=event, created_at=NOW, state=ImportJob.State.WRITING, heartbeat_at=timezone.now()
    )

    with pytest.raises(ImportBusyError):
        bring(event, [record()])

    assert list(ImportJob.objects.all()) == [running_job]
    assert bring(make_event(), [record()]).created == 1


def test_a_process_that_was_taken_for_dead_stops_at_its_next_batch(event: Event) -> None:
    def taken_over(state: str, done: int, total: int | None) -> None:
        if state == "writing":
            ImportJob.objects.filter(event=event).update(attempt=9)

    rows = [record(n, responses={f"M{i}": "x" for i in range(60)}) for n in range(4)]
    with pytest.raises(ConflictError, match="taken over"):
        bring(event, rows, progress=taken_over)

    assert not Matchup.objects.serving().exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_visible_before_the_last_batch_is_in(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    visible = []

    def look(state: str, done: int, total: int | None) -> None:
        assert not connection.in_atomic_block or state != "checking"
        visible.append((state, Matchup.objects.serving().count(), Record.objects.count()))

    monkeypatch.setattr(running, "ROWS_PER_BATCH", 14)
    bring(event, [record(n) for n in range(10)], progress=look)

    assert {seen for state, seen, _ in visible if state == "writing"} == {0}
    assert len({there for _, _, there in visible}) > 3
    assert Matchup.objects.serving().count() == 10


def test_progress_is_told_in_bytes_and_then_in_rows(event: Event, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(jsonl(*(record(n) for n in range(3))))
    told = []

    import_records(event, path, now=NOW, rng=Random(1), progress=lambda *args: told.append(args))

    size = path.stat().st_size
    assert ("checking", size, size) in told
    assert ("writing", 3, 3) in told
