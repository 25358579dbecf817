"""Where uploads and bundles are kept: the database, and a real server of S3's protocol."""

import io
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client
from django.utils import timezone
from moto.server import ThreadedMotoServer

from arena.errors import TooLargeError
from arena.events.importing.running import run_job
from arena.events.importing.uploads import run_upload
from arena.events.models import Membership, Record
from arena.events.tasks import run_import
from arena.files import database
from arena.files.choosing import BUNDLES, UPLOADS, choose_storages
from tests.events.uploads import confirm, upload, url_of
from tests.factories import make_event, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def object_server() -> Iterator[str]:
    """The setting that leads to a bucket of a server of its own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "se/cret"}
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **keys
    )
    client.create_bucket(Bucket="arena")
    yield f"s3://key:se%2Fcret@{host}:{port}/arena/site?tls=0&region=us-east-1"
    server.stop()


@pytest.fixture(params=["database", "objects"])
def url(request: pytest.FixtureRequest, settings: Any) -> str:
    """Each place where bundles may be kept, in use."""
    url = request.getfixturevalue("object_server") if request.param == "objects" else ""
    settings.STORAGES = settings.STORAGES | choose_storages(url)
    return str(url)


@pytest.mark.usefixtures("url")
def test_a_file_is_kept_read_and_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PIECE_BYTES", 7)
    bundles, content = storages[BUNDLES], bytes(range(50))
    assert bundles.save("fair-1-whole.zip", ContentFile(content)) == "fair-1-whole.zip"
    assert bundles.exists("fair-1-whole.zip")
    assert not bundles.exists("fair-2-whole.zip")
    assert bundles.size("fair-1-whole.zip") == 50
    with bundles.open("fair-1-whole.zip") as file:
        assert b"".join(iter(lambda: file.read(4), b"")) == content
    bundles.delete("fair-1-whole.zip")
    assert not bundles.exists("fair-1-whole.zip")
    with pytest.raises(FileNotFoundError):
        bundles.open("fair-1-whole.zip")


def test_a_file_in_the_database_stays_as_it_was_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PIECE_BYTES", 7)
    bundles = storages[BUNDLES]
    bundles.save("a.zip", ContentFile(b"the first of two hosts"))
    bundles.save("a.zip", ContentFile(b"the second"))
    with bundles.open("a.zip") as file:
        file.seek(-5, io.SEEK_END)
        assert file.read() == b"hosts"
        file.seek(4)
        assert file.read(9) == b"first of "
    monkeypatch.setattr(database, "MAX_BYTES", 9)
    with pytest.raises(TooLargeError):
        bundles.save("b.zip", ContentFile(b"ten bytes."))


def test_an_upload_in_object_storage_is_previewed_and_imported(
    client: Client, settings: Any, object_server: str, tmp_path: Path,
    django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings.MEDIA_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | choose_storages(object_server)
    monkeypatch.setattr(run_import, "delay", lambda _job: None)
    event = make_event("fair", organizer=make_user("olga"))
    client.force_login(event.memberships.get(role=Membership.Role.ORGANIZER).user)
    job = upload(client)
    name = job.file.name
    assert storages[UPLOADS].exists(name)
    assert "Why?" in client.get(url_of(job)).content.decode()
    confirm(client, job, django_capture_on_commit_callbacks)
    run_upload(job.pk, timezone.now(), Random(1), run_job)
    assert Record.objects.get().external_id == "q1"
    assert not storages[UPLOADS].exists(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://a/b", "s3://host", "s3:///bucket", "s3://h/b?acl=public"])
def test_a_setting_that_names_no_place_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        choose_storages(url)
