"""Imports whose worker was killed: beat has them started again, or says why not."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from arena.events.importing.adopting import MAX_ATTEMPTS, find_lost_imports
from arena.events.importing.report import ImportReport
from arena.events.models import ImportJob, Record
from arena.events.tasks import finish_import, remove_import, run_import
from arena.judging.tasks import adopt_imports, run_vote_import
from tests.factories import make_event

pytestmark = pytest.mark.django_db(transaction=True)
State = ImportJob.State
LINE = b'{"prompt": "Why?", "responses": {"a": "Because.", "b": "So."}}\n'


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """What is sent to workers, which nobody takes here."""
    messages: list[tuple[str, int]] = []
    for task in (run_import, run_vote_import, remove_import, finish_import):

        def send(args: list[int], expires: int, task: Any = task) -> None:
            assert expires
            messages.append((task.name.rpartition(".")[2], args[0]))

        monkeypatch.setattr(task, "apply_async", send)
    return messages


def make_job(*, age: int = 2, file: bool = True, **fields: Any) -> ImportJob:
    """An import on which somebody last worked so many times the limit ago."""
    now = timezone.now()
    job = ImportJob(
        event=make_event(),
        created_at=now,
        format="jsonl",
        heartbeat_at=now - age * ImportJob.STALE_AFTER,
        **fields,
    )
    if file:
        job.file.save("upload", ContentFile(LINE), save=False)
    job.save()
    return job


@pytest.mark.parametrize(
    ("fields", "task"),
    [
        ({"state": State.CHECKING, "attempt": 1}, "run_import"),
        ({"state": State.WRITING, "attempt": 1, "kind": "judgments"}, "run_vote_import"),
        ({"state": State.APPLYING, "attempt": 9}, "run_import"),
        ({"state": State.APPLYING, "attempt": 1, "file": False}, "finish_import"),
        ({"state": State.REMOVING, "attempt": 9}, "remove_import"),
        ({"state": State.QUEUED}, "run_import"),
    ],
)
def test_what_nobody_works_on_is_sent_again(sent, fields, task):
    job = make_job(**fields)
    adopt_imports()
    assert sent == [(task, job.pk)]
    assert ImportJob.objects.get(pk=job.pk).state == fields["state"]


@pytest.mark.parametrize("state", [State.CHECKING, State.WRITING, State.QUEUED])
def test_what_somebody_works_on_is_left_alone(sent, state):
    make_job(state=state, age=0, attempt=MAX_ATTEMPTS)
    make_job(state=State.UPLOADED)
    make_job(state=State.DONE)
    adopt_imports()
    assert sent == []


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"attempt": MAX_ATTEMPTS}, "not for the first time"),
        ({"attempt": 1, "file": False}, "Start the import again"),
    ],
)
def test_what_cannot_be_repeated_fails_with_a_word(sent, fields, word):
    job = make_job(state=State.CHECKING, **fields)
    adopt_imports()
    job.refresh_from_db()
    assert sent == []
    assert job.state == State.FAILED
    assert word in ImportReport.from_json(job.report).errors[0].message


def test_an_adopted_import_comes_to_its_end():
    job = make_job(state=State.CHECKING, attempt=1)
    assert [found.pk for found in find_lost_imports(timezone.now())] == [job.pk]
    run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.DONE, 2)
    assert Record.objects.filter(event=job.event, imported_at__isnull=False).count() == 1
    assert list(find_lost_imports(timezone.now())) == []
