"""A file dropped on the import page, and the boxes of its form."""

from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from arena.events.models import ImportJob

State = ImportJob.State


CSV = "id,instruction,model_a,response_a,model_b,response_b,level\nq1,Why?,Ash,Yes.,Birch,No.,3\n"


def upload(client: Client, content: str | bytes = CSV, name: str = "records.csv") -> ImportJob:
    """Drop a file; the import that waits for its mapping."""
    data = content.encode() if isinstance(content, str) else content
    response = client.post(
        reverse("imports:new", args=["fair"]), {"file": SimpleUploadedFile(name, data)}
    )
    assert response.status_code == 302
    job = ImportJob.objects.first()
    assert job is not None
    assert response["Location"] == url_of(job)
    return job


def url_of(job: ImportJob, name: str = "imports:job") -> str:
    return reverse(name, args=["fair", job.uuid])


def boxes(**chosen: str) -> dict[str, str]:
    """The form with these boxes, in the order of the columns."""
    return {"mapped": "1"} | {f"map-{n}": value for n, value in enumerate(chosen.values())}


MAPPED = boxes(
    id="external_id", instruction="prompt", model_a="model_a", response_a="response_a",
    model_b="model_b", response_b="response_b", level="metadata.level",
)  # fmt: skip


def confirm(
    client: Client, job: ImportJob, capture: Callable[..., Any], data: dict[str, str] | None = None
) -> None:
    """Press "Import", and let the transaction end."""
    with capture(execute=True):
        response = client.post(url_of(job), MAPPED if data is None else data)
    assert response.status_code == 302
    job.refresh_from_db()
