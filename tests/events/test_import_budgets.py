"""Hostile files: small on the disk, endless inside. Reading stops early and says why."""

import gzip
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.events.importing import ImportReport, import_records
from arena.events.importing.preview import build_preview
from arena.events.importing.reading import budget as budgets
from arena.events.importing.reading.budget import Budget, BudgetError, BudgetStream
from arena.events.importing.reading.files import open_source, read_rows
from arena.events.importing.uploads import MAX_IMPORTS_PER_ACCOUNT
from arena.events.models import Event, ImportJob, Membership, Record
from arena.people.limits import Rate
from tests.events.uploads import confirm, upload, url_of
from tests.factories import make_event, make_user

State = ImportJob.State
MEGABYTE = 1_000_000
pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def event() -> Event:
    return make_event("fair")


@pytest.fixture
def count_bytes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many unpacked bytes have been read, by whatever reads files."""
    read: list[BudgetStream] = []
    begin = BudgetStream.__init__

    def begin_and_note(self: BudgetStream, *args: Any) -> None:
        begin(self, *args)
        read.append(self)

    monkeypatch.setattr(BudgetStream, "__init__", begin_and_note)
    return lambda: sum(stream.bytes for stream in read)


def pack(path: Path, piece: bytes, times: int) -> Path:
    """A gzipped file of a piece that is repeated."""
    with gzip.open(path, "wb") as file:
        for _ in range(times):
            file.write(piece)
    return path


def import_file(event: Event, path: Path, **options: Any) -> ImportReport:
    return import_records(event, path, now=timezone.now(), rng=Random(1), **options)


def words_of(report: ImportReport) -> str:
    return " | ".join(error.message for error in report.errors)


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_reading_stops_after_a_thousand_wrong_lines(
    event: Event, tmp_path: Path, count_bytes: Callable[[], int], on_error: str
) -> None:
    """The two hostile uploads, at a tenth of their size: ten million objects that say nothing."""
    path = pack(tmp_path / "hostile.jsonl.gz", b"{}\n" * 100_000, 100)
    report = import_file(event, path, on_error=on_error)
    assert "Reading stopped at line 1,001 after 1,000 wrong lines" in words_of(report)
    assert report.error_total == 1_001
    assert count_bytes() < MEGABYTE
    assert not Record.objects.filter(event=event).exists()


def test_most_lines_right_and_the_wrong_ones_left_out_comes_to_its_end(
    event: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "MAX_WRONG_LINES", 10)
    lines = []
    for number in range(40):
        good = {"prompt": f"Why {number}?", "responses": {"a": "Because.", "b": f"So {number}."}}
        lines.append(json.dumps({} if number % 3 == 2 else good))
    path = tmp_path / "messy.jsonl"
    path.write_text("\n".join(lines))
    assert "after 10 wrong lines" in words_of(import_file(event, path))
    report = import_file(event, path, on_error="skip")
    assert report.landed
    assert (report.created, report.skipped) == (27, 13)


@pytest.mark.parametrize(
    ("name", "piece", "word"),
    [
        ("blank.jsonl.gz", b"{}" + b"\n" * MEGABYTE, "more than 5,000,000 lines"),
        ("endless.csv.gz", b"prompt" * 200_000, "unpacks to more than 200 times its size"),
        ("one-line.jsonl.gz", b'{"prompt": "' + b"x" * MEGABYTE, "unpacks to more than 200"),
        ("list.json.gz", b"[" + b"{}," * 300_000, "is not JSON|unpacks to more|wrong lines"),
    ],
)
def test_what_packs_too_well_is_not_read_to_its_end(
    event: Event,
    tmp_path: Path,
    count_bytes: Callable[[], int],
    name: str,
    piece: bytes,
    word: str,
) -> None:
    path = pack(tmp_path / name, piece, 100)
    report = import_file(event, path)
    assert not report.landed
    assert any(part in words_of(report) for part in word.split("|"))
    assert count_bytes() < 40 * MEGABYTE


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("," * MEGABYTE + "\nWhy?\n", "at most 1,000 are read|no header"),
        (",".join(f"c{n}" for n in range(100_000)) + "\n1\n", "The header has 100,000 columns"),
        (json.dumps({f"k{n}": n for n in range(2_000)}) + "\n", "more than 1,000 keys"),
        (
            "{" + ", ".join(f'"k{n}": 1' for n in range(90_000)) + ', "k89999": 2}\n',
            "appears twice",
        ),
        ('{"prompt": ' + "[" * MEGABYTE + "\n", "nested too deeply"),
        ('{"prompt": ' + "9" * MEGABYTE + "}\n", "is not acceptable JSON"),
        ("prompt,model_a\n" + '"' * (MEGABYTE - 1), "quotation mark"),
        ("prompt,model_a,response_a\n" + ("," * MEGABYTE + "\n") * 5, "There are no records"),
        ('{"prompt": "' + "\x00" * MEGABYTE + '"}\n', "holds a NUL byte"),
        (
            '{"prompt": "' + r"\ud800" * 150_000 + '", "responses": {}}\n',
            "half of a surrogate pair",
        ),
    ],
)
def test_one_monstrous_line_is_one_error(
    event: Event, tmp_path: Path, content: str, word: str
) -> None:
    path = tmp_path / ("file.jsonl" if content.startswith("{") else "file.csv")
    path.write_text(content)
    report = import_file(event, path)
    assert report.error_total >= 1
    assert any(part in words_of(report) for part in word.split("|")), words_of(report)
    preview = build_preview(path, path.suffix[1:])
    assert any(error.message for error in preview.errors)


@pytest.mark.parametrize(
    ("budget", "word"),
    [
        (Budget(unpacked_bytes=2**20, lines=10**9, seconds=60), "larger than 1 MB unpacked"),
        (Budget(unpacked_bytes=2**40, lines=1_000, seconds=60), "more than 1,000 lines"),
        (Budget(unpacked_bytes=2**40, lines=10**9, seconds=-1), "took longer than"),
    ],
)
def test_each_part_of_the_budget_ends_the_reading(
    tmp_path: Path, budget: Budget, word: str
) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'{"prompt": "Why?"}\n' * 200_000)
    with pytest.raises(BudgetError, match=word), open_source(path, budget) as source:
        list(read_rows(source.stream, "jsonl"))


def test_the_rows_of_one_long_line_are_counted_as_well(
    event: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "IMPORT_BUDGET", Budget(2**40, 5, 60))
    rows = [{"prompt": f"{n}?", "responses": {"a": "Yes.", "b": "No."}} for n in range(6)]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    assert "more than 5 rows" in words_of(import_file(event, path))


def test_a_preview_reads_a_little_of_a_large_file(
    event: Event, tmp_path: Path, count_bytes: Callable[[], int]
) -> None:
    line = json.dumps({"prompt": "Why?" * 20_000, "responses": {"a": "Yes.", "b": "No."}}) + "\n"
    path = pack(tmp_path / "large.jsonl.gz", line.encode(), 500)
    preview = build_preview(path, "jsonl")
    assert not preview.is_whole
    assert 1 < preview.checked < 500
    assert count_bytes() < 5 * MEGABYTE


@pytest.mark.parametrize("piece", [b"prompt," * 200_000, b"\n" * MEGABYTE])
def test_a_preview_of_what_has_no_row_near_its_beginning_says_so(
    tmp_path: Path, count_bytes: Callable[[], int], piece: bytes
) -> None:
    preview = build_preview(pack(tmp_path / "endless.csv.gz", piece, 50), "csv")
    assert [error.message for error in preview.errors] == [budgets.NOTHING_TO_SHOW]
    assert count_bytes() < 5 * MEGABYTE


@pytest.mark.parametrize(("kind", "page"), [("records", "imports:job"), ("judgments", "votes:job")])
def test_previews_are_looked_at_no_faster_than_people_do(
    event: Event, monkeypatch: pytest.MonkeyPatch, still_clock: datetime, kind: str, page: str
) -> None:
    monkeypatch.setattr("arena.events.importing.views.PREVIEW_RATE", Rate(2, 60))
    user, client = make_user("ada"), Client()
    Membership.objects.create(event=event, user=user, role="organizer")
    client.force_login(user)
    job = upload(client)
    ImportJob.objects.filter(pk=job.pk).update(kind=kind)
    looks = [client.get(url_of(job, page)) for _ in range(3)]
    assert [look.status_code for look in looks] == [200, 200, 429]
    assert "You have looked at many previews" in looks[-1].content.decode()
    other = make_user("bob")
    Membership.objects.create(event=event, user=other, role="organizer")
    client.force_login(other)
    assert client.get(url_of(job, page)).status_code == 200


def test_an_account_waits_for_its_other_imports(
    event: Event, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr("arena.events.importing.views.run_import.delay", lambda pk: None)
    user, client = make_user("ada"), Client()
    Membership.objects.create(event=event, user=user, role="organizer")
    client.force_login(user)
    for number in range(MAX_IMPORTS_PER_ACCOUNT):
        confirm(client, upload(client, name=f"{number}.csv"), django_capture_on_commit_callbacks)
    last = upload(client, name="last.csv")
    refused = client.post(url_of(last), {})
    assert refused.status_code == 429
    assert "Several of your imports are waiting or running" in refused.content.decode()
    last.refresh_from_db()
    assert last.state == State.UPLOADED
    ImportJob.objects.filter(state=State.QUEUED).first().delete()  # type: ignore[union-attr]
    confirm(client, last, django_capture_on_commit_callbacks)
    assert last.state == State.QUEUED


def test_the_site_waits_for_all_of_them(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.events.importing.uploads.MAX_IMPORTS_PER_SITE", 1)
    user, client = make_user("ada"), Client()
    Membership.objects.create(event=event, user=user, role="organizer")
    client.force_login(user)
    ImportJob.objects.create(
        event=make_event("other"), created_at=timezone.now(), state=State.QUEUED
    )
    refused = client.post(url_of(upload(client)), {})
    assert refused.status_code == 429
    assert "Many imports are waiting on this site" in refused.content.decode()


@pytest.mark.parametrize(
    ("creators", "who"),
    [
        ("anybody", {"plain", "organizer", "staff"}),
        ("invited", {"organizer", "staff"}),
        ("staff", {"staff"}),
    ],
)
def test_who_may_create_events_is_a_setting(
    event: Event, settings: Any, creators: str, who: set[str]
) -> None:
    settings.EVENT_CREATORS = creators
    allowed = set()
    for name in ("plain", "organizer", "staff"):
        user, client = make_user(name), Client()
        if name == "organizer":
            Membership.objects.create(event=event, user=user, role="organizer")
        user.is_staff = name == "staff"
        user.save()
        client.force_login(user)
        page = client.get(reverse("desk:new"))
        assert page.status_code in (200, 404)
        if page.status_code == 200:
            allowed.add(name)
        shown = reverse("desk:new") in client.get(reverse("home")).content.decode()
        assert shown == (page.status_code == 200)
    assert allowed == who
