"""The import page: who gets in, and which files and moments it refuses."""

import json
import os
import re
from collections.abc import Callable
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from arena.events.importing import import_records
from arena.events.models import Control, Event, ImportJob, Membership, Record
from arena.events.tasks import run_import, sweep_uploads
from arena.middleware import upload_slots
from tests.events.uploads import CSV, MAPPED, State, confirm, upload, url_of
from tests.factories import NOW, make_enrollment, make_event, make_membership, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


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


@pytest.mark.parametrize(
    "who", ["nobody", "outsider", "contributor", "reviewer", "other organizer"]
)
def test_only_the_events_organizers_get_in(
    event: Event, organizer: Client, who: str, queued: list[int]
) -> None:
    job = upload(organizer)
    user = make_user("somebody")
    if who == "contributor":
        make_enrollment(event, user)
    elif who == "reviewer":
        make_membership(event, user, Membership.Role.REVIEWER)
    elif who == "other organizer":
        make_event("other", organizer=user)
    client = Client()
    if who != "nobody":
        client.force_login(user)

    for name, arguments in (("new", []), ("job", [job.uuid]), ("discard", [job.uuid])):
        url = reverse(f"imports:{name}", args=["fair", *arguments])
        for method in (client.get, client.post):
            expected = {404} if who != "nobody" else {302}
            if name == "discard" and method == client.get:
                expected |= {405}
            assert method(url).status_code in expected
    job.refresh_from_db()
    assert (job.state, queued) == (State.UPLOADED, [])


def test_an_import_is_found_through_its_own_event_alone(organizer: Client, event: Event) -> None:
    job = upload(organizer)
    olga = event.memberships.get(role=Membership.Role.ORGANIZER).user
    make_event("other", organizer=olga)

    assert organizer.get(reverse("imports:job", args=["other", job.uuid])).status_code == 404


def test_an_import_cannot_be_begun_twice(
    organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    job = upload(organizer)
    confirm(organizer, job, django_capture_on_commit_callbacks)
    run_import(job.pk)

    assert organizer.post(url_of(job, "imports:discard")).status_code == 400
    confirm(organizer, job, django_capture_on_commit_callbacks)  # only asks the task again
    run_import(job.pk)
    assert Record.objects.count() == 1


@pytest.mark.parametrize("content", [b"", None])
def test_no_file_is_said_so(organizer: Client, content: bytes | None) -> None:
    data = {} if content is None else {"file": SimpleUploadedFile("x.csv", content)}

    response = organizer.post(reverse("imports:new", args=["fair"]), data)

    assert response.status_code == 400
    assert "file" in response.context["form"].errors
    assert not ImportJob.objects.exists()


@pytest.fixture
def send(
    event: Event, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[int, bool]]:
    """Send a file, with a token that is wrong: the answer, and whether the file was read.

    The check of the token reads the form, and so the file, before any view says a word.
    """
    read: list[str] = []
    original = TemporaryFileUploadHandler.new_file

    def noted(self: TemporaryFileUploadHandler, field: str, *args: Any, **named: Any) -> None:
        read.append(field)
        original(self, field, *args, **named)

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", noted)

    def as_role(role: str) -> tuple[int, bool]:
        user = make_user(role.replace(" ", ""))
        if role == "seat":
            make_enrollment(event, user)
        elif role in Membership.Role.values:
            make_membership(event, user, Membership.Role(role))
        elif role == "other organizer":
            make_event("other", organizer=user)
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
        file = SimpleUploadedFile("a.jsonl", b"a" * (2 * 1024**2))
        response = client.post(reverse("imports:new", args=["fair"]), {"file": file})
        return response.status_code, bool(read)

    return as_role


@pytest.mark.parametrize("role", ["outsider", "seat", "reviewer", "other organizer"])
def test_nobody_elses_file_is_read(send: Callable[[str], tuple[int, bool]], role: str) -> None:
    assert send(role) == (413, False)


def test_an_organizers_file_is_read(send: Callable[[str], tuple[int, bool]]) -> None:
    assert send("organizer") == (403, True)


def test_a_file_too_large_is_not_read(
    send: Callable[[str], tuple[int, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.middleware.MAX_UPLOAD_BYTES", 1024**2)
    assert send("organizer") == (413, False)


@pytest.mark.parametrize("others", [0, 1])
def test_uploads_take_half_of_the_threads_at_most(
    send: Callable[[str], tuple[int, bool]], settings: Any, others: int
) -> None:
    with ExitStack() as held:
        for _ in range(settings.UPLOADS_AT_ONCE - 1 + others):
            held.enter_context(upload_slots)
        assert send("organizer") == [(403, True), (429, False)][others]
        assert upload_slots.acquire(blocking=False) == (not others)  # it was given back
    if not others:
        upload_slots.release()


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode("utf-16-le"),
        b"\x00\xff\x00",
        b"not,a\nproper",
        b'{"prompt": ["\\ud800"], "responses": 3}',
        b"[1, 2",
        b'prompt,response_a\n"open',
        b'{"<script>alert(1)</script>": "x"}',
    ],
)
def test_whatever_is_dropped_has_a_page(
    organizer: Client,
    content: bytes,
    queued: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    job = upload(organizer, content, "../../etc/pass\u202ewd")

    page = organizer.get(url_of(job))

    assert page.status_code == 200
    assert page.context["preview"].errors
    assert "<script>alert" not in page.content.decode()
    confirm(organizer, job, django_capture_on_commit_callbacks, {})
    run_import(job.pk)
    job.refresh_from_db()
    assert job.state == State.REFUSED
    assert organizer.get(url_of(job)).status_code == 200


def test_a_deleted_upload_leaves_nothing(organizer: Client, media: Path) -> None:
    job = upload(organizer)
    assert job.file.name == f"imports/{job.uuid}"

    organizer.post(url_of(job, "imports:discard"), {"sure": "yes"})

    assert not ImportJob.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_what_is_abandoned_or_interrupted_is_swept(
    organizer: Client, media: Path, tmp_path: Path, settings: Any
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "arriving"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    abandoned = upload(organizer)
    ImportJob.objects.update(created_at=NOW.replace(year=2020))
    kept = upload(organizer)
    folder = media / "imports"
    stray, arriving = folder / "stray", settings.FILE_UPLOAD_TEMP_DIR / "half.upload"
    for file in (stray, arriving):
        file.touch()

    sweep_uploads()

    assert list(ImportJob.objects.all()) == [kept]
    assert {file.name for file in folder.iterdir()} == {str(kept.uuid), "stray"}
    for file in (stray, arriving, folder / str(kept.uuid)):
        os.utime(file, (0, 0))
    sweep_uploads()
    assert {file.name for file in folder.iterdir()} == {str(kept.uuid)}
    assert not arriving.exists()
    assert not (folder / str(abandoned.uuid)).exists()


def test_an_import_waits_where_the_broker_is_away(
    organizer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(job_id: int) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(run_import, "delay", unreachable)
    monkeypatch.setattr("arena.events.importing.views.transaction.on_commit", lambda call: call())
    job = upload(organizer)

    response = organizer.post(url_of(job), MAPPED)

    assert response.status_code == 302
    job.refresh_from_db()
    assert job.state == State.QUEUED  # beat asks a worker for it: test_import_adopting.py


@pytest.mark.parametrize("name", ["records.jsonl", "records.csv"])
def test_the_sample_file_that_the_page_offers_imports_without_a_doubt(
    organizer: Client, event: Event, name: str
) -> None:
    page = organizer.get(reverse("imports:new", args=["fair"])).content.decode()
    assert f"samples/{name}" in page
    path = finders.find(f"samples/{name}")
    assert path
    with open(path, "rb") as file:  # noqa: PTH123 - a path as the finder gives it
        report = import_records(event, file, now=NOW, rng=Random(1))
    assert report.landed
    assert not report.doubts
    assert event.records.count() == 5
    assert Control.objects.filter(matchup__event=event).count() == 2
    assert sorted(event.competitors.values_list("name", flat=True)) == ["model-a", "model-b"]


def test_every_line_that_the_pages_show_is_json_on_one_line(organizer: Client) -> None:
    for name in ("imports:new", "desk:controls"):
        page = organizer.get(reverse(name, args=["fair"])).content.decode()
        samples = re.findall(r'<pre class="sample">(\{.*?)</pre>', page, re.DOTALL)
        assert samples
        for sample in samples:
            assert "\n" not in sample
            json.loads(unescape(sample))
