"""The import page: drop a file, confirm its columns, watch, read errors by line."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from arena import settings as project_settings
from arena.events.models import Event, ImportJob, Matchup, Membership, Record
from arena.events.tasks import run_import
from tests.events.uploads import CSV, MAPPED, State, boxes, confirm, upload, url_of
from tests.factories import make_event, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "uploads"
    return tmp_path / "uploads"


@pytest.fixture
def event() -> Event:
    return make_event("fair", organizer=make_user("olga"))


@pytest.fixture
def organizer(event: Event, client: Client) -> Client:
    client.force_login(event.memberships.get(role=Membership.Role.ORGANIZER).user)
    return client


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Imports handed to the worker."""
    sent: list[int] = []
    monkeypatch.setattr(run_import, "delay", sent.append)
    return sent


def test_a_file_is_previewed_with_its_columns_guessed(organizer: Client) -> None:
    job = upload(organizer)

    page = organizer.get(url_of(job))

    assert (job.state, job.format, job.file_name) == (State.UPLOADED, "csv", "records.csv")
    chosen = {box["column"]: box["chosen"] for box in page.context["boxes"]}
    assert chosen["id"] == "external_id"
    assert chosen["instruction"] == "prompt"
    assert chosen["level"] == "metadata.level"
    assert page.context["preview"].errors == []
    page_text = page.content.decode()
    assert "Why?" in page_text
    assert re.search(r'<option value="prompt"\s+selected>prompt</option>', page_text)


def test_a_confirmed_file_is_imported_by_the_task(
    organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any, media: Path
) -> None:
    job = upload(organizer)
    confirm(organizer, job, django_capture_on_commit_callbacks)
    assert (job.state, queued) == (State.QUEUED, [job.pk])
    assert "Waiting for a worker" in organizer.get(url_of(job)).content.decode()

    run_import(job.pk)

    record = Record.objects.get()
    assert (record.external_id, record.metadata) == ("q1", {"level": "3"})
    job.refresh_from_db()
    assert (job.state, job.report["created"]) == (State.DONE, 1)
    assert not job.file
    assert not [path for path in media.rglob("*") if path.is_file()]
    page = organizer.get(url_of(job)).content.decode()
    assert "Done" in page
    assert "hx-trigger" not in page


def test_looking_again_keeps_the_boxes(organizer: Client) -> None:
    job = upload(organizer)
    wrong = MAPPED | {"map-1": "", "map-6": "", "look": "1", "skip": "on"}

    response = organizer.post(url_of(job), wrong, follow=True)

    job.refresh_from_db()
    assert (job.state, job.mapping["instruction"], job.skips_errors) == (State.UPLOADED, "", True)
    assert [error.field for error in response.context["preview"].errors] == ["prompt"]
    partial = organizer.get(url_of(job), headers={"HX-Request": "true"})
    assert "<html" not in partial.content.decode()
    assert "prompt" in partial.content.decode()


def test_errors_are_shown_by_line_and_the_other_lines_can_be_imported(
    organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    job = upload(organizer, CSV + "q2,,Ash,<script>,Birch,No.,3\nq3,,Ash,x,Birch,y,1\n")
    confirm(organizer, job, django_capture_on_commit_callbacks)
    run_import(job.pk)

    page = organizer.get(url_of(job)).content.decode()

    assert "2 errors" in page
    assert "of one kind" in page
    assert "2, 3" not in page  # the lines of the file, whose first is the header
    assert "3, 4" in page
    assert "<bdi>instruction</bdi>" in page
    assert "Nothing was changed." in page
    assert not Record.objects.exists()
    confirm(organizer, job, django_capture_on_commit_callbacks, {"skip": "1"})
    run_import(job.pk)
    assert list(Record.objects.values_list("external_id", flat=True)) == ["q1"]
    job.refresh_from_db()
    assert (job.state, job.report["skipped"], job.mapping["id"]) == (State.DONE, 2, "external_id")


HOLES = (
    "id,instruction,model_a,response_a,model_b,response_b,level\n"
    "q1,Why?,Ash,Yes it is.,Birch,,3\nq2,Why?,Ash,NaN,Birch,So.,3\nq3,Why?,Ash,x y,Birch,NaN,3\n"
)


def test_what_is_doubtful_is_counted_in_the_preview_with_an_example_each(
    organizer: Client,
) -> None:
    page = organizer.get(url_of(upload(organizer, HOLES)))

    found = [(doubt["kind"], doubt["count"]) for doubt in page.context["doubts"]]
    assert sorted(found) == [("empty_response", 1), ("missing_word", 2), ("only_response", 1)]
    text = page.content.decode()
    assert "Counted in the whole file." in text
    assert 'value="missing_word"' in text
    assert "says “NaN”, as if a value were missing" in text


def test_what_is_not_confirmed_is_asked_again_and_lands_when_it_is(
    organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    job = upload(organizer, HOLES)
    confirm(organizer, job, django_capture_on_commit_callbacks, MAPPED | {"accept": "missing_word"})
    run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, Record.objects.count()) == (State.DOUBTFUL, 0)

    page = organizer.get(url_of(job)).content.decode()
    assert "Confirm all and import" in page
    accepted = re.findall(r'name="accept" value="(\w+)"', page)
    assert set(accepted) == {"empty_response", "missing_word", "only_response"}
    with django_capture_on_commit_callbacks(execute=True):
        organizer.post(url_of(job), {"accept": accepted})
    run_import(job.pk)

    job.refresh_from_db()
    assert (job.state, Record.objects.count(), Matchup.objects.count()) == (State.DONE, 3, 2)


def test_a_large_file_is_counted_as_far_as_the_preview_reads(organizer: Client) -> None:
    rows = "".join(f"r{n},Why?,Ash,NaN,Birch,So.,3\n" for n in range(1_500))
    page = organizer.get(url_of(upload(organizer, CSV + rows)))

    assert [doubt["count"] for doubt in page.context["doubts"]] == [999]
    assert "Counted in the first 1000 rows" in page.content.decode().replace(",", "")


@pytest.mark.parametrize("header", ["id,prompt,prompt", ",prompt,promt", "id,prompt,"])
def test_where_the_header_fails_columns_can_still_be_mapped_away(
    organizer: Client,
    queued: list[int],
    django_capture_on_commit_callbacks: Any,
    header: str,
) -> None:
    rest = "model_a,response_a,model_b,response_b"
    job = upload(organizer, f"{header},{rest}\nq1,Why?,x,Ash,Yes it is.,Birch,No.\n")
    page = organizer.get(url_of(job))
    columns = [box["column"] for box in page.context["boxes"]]
    assert len(columns) == 7

    chosen = ["external_id", "prompt", "", "model_a", "response_a", "model_b", "response_b"]
    data = boxes(**dict(zip(columns, chosen, strict=True)))
    confirm(organizer, job, django_capture_on_commit_callbacks, data)
    run_import(job.pk)

    assert Record.objects.get().external_id == "q1"


def test_warnings_of_leaks_are_shown(
    organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    record = {"prompt": "Who?", "responses": {"Claude v2": "I am Claude.", "GPT 4": "Nobody."}}
    job = upload(organizer, json.dumps([record]), "records.json")
    data = boxes(prompt="prompt", responses="responses") | {"accept": "leak"}
    confirm(organizer, job, django_capture_on_commit_callbacks, data)
    run_import(job.pk)

    page = organizer.get(url_of(job)).content.decode()

    assert "1 warning" in page
    assert "“I am Claude”" in page


def test_progress_is_asked_for_until_the_import_is_over(organizer: Client, event: Event) -> None:
    job = upload(organizer)
    ImportJob.objects.update(state=State.WRITING, done=3, total=4, heartbeat_at=timezone.now())

    partial = organizer.get(url_of(job), headers={"HX-Request": "true"}).content.decode()

    assert 'hx-trigger="every 1s"' in partial
    assert 'value="75"' in partial
    assert "People can keep judging" in partial
    Event.objects.update(state="draft")
    assert "People can keep judging" not in organizer.get(url_of(job)).content.decode()
    assert "<html" not in partial


def test_after_an_import_the_page_no_longer_asks_for_records(
    organizer: Client, event: Event, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    job = upload(organizer)
    Event.objects.filter(pk=event.pk).update(state="draft")
    confirm(organizer, job, django_capture_on_commit_callbacks)
    assert "Import records with responses" in organizer.get(url_of(job)).content.decode()
    run_import(job.pk)
    looked_again = organizer.get(url_of(job), headers={"HX-Request": "true"})
    assert looked_again.headers["HX-Refresh"] == "true"  # the whole page, checklist included
    assert "Import records with responses" not in organizer.get(url_of(job)).content.decode()


def test_an_import_left_by_a_dead_worker_can_be_started_again(
    organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    job = upload(organizer)
    confirm(organizer, job, django_capture_on_commit_callbacks)
    ImportJob.objects.update(
        state=State.WRITING, heartbeat_at=timezone.now() - 2 * ImportJob.STALE_AFTER
    )
    assert "Start again" in organizer.get(url_of(job)).content.decode()

    confirm(organizer, job, django_capture_on_commit_callbacks, {})
    run_import(job.pk)

    job.refresh_from_db()
    assert (job.state, queued) == (State.DONE, [job.pk, job.pk])


def test_the_task_may_come_twice_and_late(
    organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    job = upload(organizer)
    run_import(job.pk)  # not confirmed: nothing happens
    assert not Record.objects.exists()
    confirm(organizer, job, django_capture_on_commit_callbacks)
    run_import(job.pk)
    run_import(job.pk)
    run_import(10**9)

    assert Record.objects.count() == 1
    assert Matchup.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_imports_an_upload(
    event: Event, client: Client, celery_worker_process: "subprocess.Popen[bytes]", settings: Any
) -> None:
    settings.MEDIA_ROOT = project_settings.MEDIA_ROOT  # where the worker looks
    client.force_login(event.memberships.get(role=Membership.Role.ORGANIZER).user)
    job = upload(client)

    client.post(url_of(job), MAPPED)

    deadline = time.monotonic() + 60
    while job.state != State.DONE and time.monotonic() < deadline:
        time.sleep(0.2)
        job.refresh_from_db()
    assert job.state == State.DONE
    assert Record.objects.get().external_id == "q1"
