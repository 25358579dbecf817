"""Static files by the names that another release gave them, as pages ask during an upgrade."""

from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, StaticFilesStorage
from django.core.files.base import ContentFile
from django.test import Client

from arena import middleware

OTHER = "/static/css/base.0123456789ab.css"


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StaticFilesStorage:
    """The static files of this release: one sheet."""
    storage = ManifestStaticFilesStorage(location=tmp_path, base_url="/static/")
    storage.save("css/base.css", ContentFile(b"body {}"))
    list(storage.post_process({"css/base.css": (storage, "css/base.css")}))
    monkeypatch.setattr(middleware, "staticfiles_storage", storage)
    return storage


@pytest.mark.django_db
@pytest.mark.any_database
def test_a_name_of_another_release_leads_to_this_one(
    release: StaticFilesStorage, client: Client
) -> None:
    answer = client.get(OTHER)
    assert answer.status_code == 302
    assert answer.headers["Location"] == release.url("css/base.css") != OTHER
    # What is gone, what has no digest, and what leads to itself is not found.
    for path in (OTHER.replace("base", "gone"), "/static/css/base.css", answer["Location"]):
        assert client.get(path).status_code == 404
