"""An import that nobody has judged is taken back as a whole, or refused with the reason."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.errors import ConflictError
from arena.events.importing import ImportBusyError
from arena.events.importing.reverting import delete_reverted, reversal_of, revert_import
from arena.events.models import (
    Category,
    Competitor,
    Control,
    Enrollment,
    Event,
    ImportJob,
    Matchup,
    MatchupResponse,
    Membership,
    Record,
    Response,
)
from arena.events.tasks import remove_import, run_import
from arena.judging.models import Assignment
from arena.judging.serving.choice import Candidate, Turn, find_ordinary
from arena.judging.serving.leases import next_assignment, reserve
from tests.events.bringing import bring, lines_of
from tests.factories import NOW, make_enrollment, make_event, make_user

pytestmark = pytest.mark.django_db
State = ImportJob.State
MODELS = (Competitor, Category, Record, Response, Matchup, MatchupResponse, Control)


def record(number: int, *models: str, **fields: Any) -> dict[str, Any]:
    responses = {model: f"{model[::-1]} {number}" for model in models or ("Ash", "Birch")}
    said = {"external_id": f"r{number}", "prompt": f"Is it {number}?", "responses": responses}
    return said | fields


CONTROL = {
    "external_id": "c1",
    "prompt": "2 + 2?",
    "responses": [{"text": "5"}, {"text": "4"}],
    "control": {"expected": "b"},
}


@pytest.fixture
def event() -> Event:
    event = make_event("fair", organizer=make_user("olga"))
    bring(event, lines_of(record(1, categories=["x"]), CONTROL))
    return event


def everything() -> dict[str, list[Any]]:
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in MODELS}


def second(event: Event) -> ImportJob:
    """Another import: two records, a model that only they have, and a control."""
    new = CONTROL | {"external_id": "c2", "prompt": "3 + 3?"}
    rows = [record(2, "Ash", "Cedar", categories=["y"]), record(3), new]
    assert bring(event, lines_of(*rows), now=timezone.now()).landed
    return ImportJob.objects.get(records__external_id="c2")


def test_taking_an_import_back_leaves_the_event_as_it_was_before(event: Event) -> None:
    before = everything()
    job = second(event)
    assert everything() != before
    what = reversal_of(job)
    assert what is not None
    assert (what.records, what.competitors, what.refusal) == (3, 1, "")

    revert_import(job, NOW, by=None)
    assert Matchup.objects.serving().filter(event=event).count() == 2
    delete_reverted(job.pk, NOW)

    job.refresh_from_db()
    assert (everything(), job.state) == (before, State.REVERTED)
    assert delete_reverted(job.pk, NOW) is None
    assert reversal_of(job) is None


def test_a_model_that_has_a_response_elsewhere_stays(event: Event) -> None:
    job = second(event)
    bring(event, lines_of(record(4, "Cedar", "Birch")))

    revert_import(job, NOW, by=None)
    delete_reverted(job.pk, NOW)

    assert set(Competitor.objects.values_list("name", flat=True)) == {"Ash", "Birch", "Cedar"}


def test_what_somebody_has_been_shown_stays(event: Event) -> None:
    job = second(event)
    enrollment = make_enrollment(event)
    for _ in range(5):  # until one of the second import is met
        shown = next_assignment(enrollment, Random(2), timezone.now())
        assert shown is not None
        Assignment.objects.filter(pk=shown.pk).update(state=Assignment.State.DONE)
        if shown.matchup.record.import_job_id == job.pk:
            break
    before = everything()

    with pytest.raises(ConflictError, match="of its matchups"):
        revert_import(job, NOW, by=None)

    job.refresh_from_db()
    assert (everything(), job.state) == (before, State.DONE)


def test_an_import_that_changed_other_records_stays(event: Event) -> None:
    bring(event, lines_of(record(1, prompt="Otherwise?"), record(5)))
    job = ImportJob.objects.get(records__external_id="r5")

    with pytest.raises(ConflictError, match="1 record that was there before"):
        revert_import(job, NOW, by=None)


def test_a_matchup_that_is_taken_back_meanwhile_is_not_served(event: Event) -> None:
    job = second(event)
    enrollment = make_enrollment(event)
    turn = Turn(event, enrollment, 1, timezone.now(), Random(1))
    candidates = [c for c in find_ordinary(turn, 10) if c.matchup.record.import_job_id == job.pk]
    assert candidates

    revert_import(job, NOW, by=None)

    assert reserve(turn, candidates) == 0
    assert not Assignment.objects.exists()


def test_a_reserve_that_is_taken_back_meanwhile_is_not_shown(event: Event) -> None:
    job = second(event)
    enrollment = make_enrollment(event)
    reserves = list(event.matchups.filter(record__import_job=job))
    assert reserve(Turn(event, enrollment, 1, NOW, Random(1)), [Candidate(reserves[0])]) == 1

    revert_import(job, NOW, by=None)

    assignment = next_assignment(enrollment, Random(1), timezone.now())
    assert assignment is None or assignment.matchup.record.import_job_id != job.pk
    assert not Assignment.objects.filter(matchup__in=reserves).exists()


def test_one_import_at_a_time_be_it_forward_or_back(event: Event) -> None:
    job = second(event)
    revert_import(job, NOW, by=None)
    with pytest.raises(ImportBusyError):
        bring(event, lines_of(record(9)))

    other = ImportJob.objects.exclude(pk=job.pk).get(state=State.DONE)
    with pytest.raises(ImportBusyError):
        revert_import(other, NOW, by=None)


def test_what_a_dead_worker_left_of_it_goes_with_the_next_import(event: Event) -> None:
    job = second(event)
    revert_import(job, NOW, by=None)
    ImportJob.objects.filter(pk=job.pk).update(heartbeat_at=NOW.replace(year=2020))

    assert bring(event, lines_of(record(9))).landed

    job.refresh_from_db()
    assert job.state == State.REVERTED
    assert set(Record.objects.values_list("external_id", flat=True)) == {"r1", "c1", "r9"}
    assert not Competitor.objects.filter(name="Cedar").exists()


@pytest.mark.django_db(transaction=True)
def test_taking_back_and_serving_at_once_never_shows_what_is_gone() -> None:
    event = make_event("fair", organizer=make_user("olga"))
    for attempt in range(5):
        rows = [record(n + 100 * attempt) for n in range(6)]
        assert bring(event, lines_of(*rows), now=timezone.now()).landed
        job = ImportJob.objects.filter(state=State.DONE).first()
        assert job is not None
        enrollments = [make_enrollment(event) for _ in range(2)]
        refused: list[Exception] = []

        def back(job: ImportJob = job, refused: list[Exception] = refused) -> None:
            try:
                revert_import(job, timezone.now(), by=None)
            except ConflictError as error:
                refused.append(error)

        def serve(enrollment: Enrollment) -> None:
            next_assignment(enrollment, Random(), timezone.now())

        calls = [back, *(partial(serve, enrollment) for enrollment in enrollments)]
        at_once(calls)

        shown = Assignment.objects.filter(matchup__record__import_job=job).count()
        assert bool(refused) == bool(shown)
        if not refused:
            delete_reverted(job.pk, timezone.now())
        Assignment.objects.all().delete()
        ImportJob.objects.filter(pk=job.pk).update(state=State.FAILED)
        Record.objects.all().delete()


def at_once(calls: list[Callable[[], object]]) -> None:
    """Run calls in threads that begin together; what one raises fails the test."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        try:
            barrier.wait()
            call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(run, call) for call in calls]:
            done.result()


# --- the page ---------------------------------------------------------------------------------
@pytest.fixture
def organizer(event: Event, client: Client) -> Client:
    client.force_login(event.memberships.get(role=Membership.Role.ORGANIZER).user)
    return client


def url_of(job: ImportJob, name: str = "imports:job") -> str:
    return reverse(name, args=["fair", job.uuid])


def test_the_page_names_the_consequence_and_takes_it_back(
    event: Event,
    organizer: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(remove_import, "delay", sent.append)
    job = second(event)
    assert "Take this import back" in organizer.get(url_of(job)).content.decode()
    question = organizer.post(url_of(job, "imports:take_back")).content.decode()
    assert "3 records are deleted, with their responses, matchups and controls." in question
    assert "So is 1 model" in question
    assert Record.objects.filter(external_id="r2").exists()

    with django_capture_on_commit_callbacks(execute=True):
        sure = organizer.post(url_of(job, "imports:take_back"), {"sure": "yes"})
        assert sure.status_code == 302
    assert "Taking back" in organizer.get(url_of(job)).content.decode()
    for job_id in sent:
        remove_import(job_id)

    page = organizer.get(url_of(job)).content.decode()
    assert "Taken back." in page
    assert "Take this import back" not in page
    assert not Record.objects.filter(external_id="r2").exists()


def test_the_page_says_why_it_cannot(event: Event, organizer: Client) -> None:
    job = ImportJob.objects.get(records__external_id="r1")
    next_assignment(make_enrollment(event), Random(1), timezone.now())

    assert "cannot be taken back" in organizer.get(url_of(job)).content.decode()
    refused = organizer.post(url_of(job, "imports:take_back"))
    assert refused.status_code == 409
    assert "cannot be taken back" in refused.content.decode()
    assert Record.objects.count() == 2


def test_nobody_else_takes_an_import_back(event: Event, client: Client) -> None:
    job = ImportJob.objects.get(records__external_id="r1")
    client.force_login(make_user("somebody"))

    assert client.post(url_of(job, "imports:take_back")).status_code == 404
    assert Record.objects.count() == 2


# --- waiting for a worker ---------------------------------------------------------------------
def test_an_import_that_no_worker_takes_says_so_after_a_minute(
    event: Event,
    organizer: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(run_import, "delay", sent.append)
    job = ImportJob.objects.create(
        event=event,
        state=State.QUEUED,
        created_at=NOW,
        file="imports/x",
        heartbeat_at=timezone.now(),
    )
    assert "No worker has picked up" not in organizer.get(url_of(job)).content.decode()
    ImportJob.objects.update(heartbeat_at=timezone.now() - 2 * ImportJob.STALE_AFTER)

    page = organizer.get(url_of(job)).content.decode()
    assert "No worker has picked up this import for a minute" in page
    assert "the import continues" not in page
    with django_capture_on_commit_callbacks(execute=True):
        organizer.post(url_of(job))
    assert sent == [job.pk]
    assert "No worker has picked up" not in organizer.get(url_of(job)).content.decode()


def test_an_import_that_waits_for_another_says_so(event: Event, organizer: Client) -> None:
    late = timezone.now() - 2 * ImportJob.STALE_AFTER
    job = ImportJob.objects.create(
        event=event, state=State.QUEUED, created_at=NOW, heartbeat_at=late
    )
    ImportJob.objects.create(
        event=event,
        state=State.WRITING,
        created_at=NOW,
        heartbeat_at=timezone.now(),
        file_name="first.csv",
    )

    page = organizer.get(url_of(job)).content.decode()

    assert "Another import into this event (first.csv) is running" in page
    assert "No worker" not in page
