"""The page that imports votes: drop a file, say what it does not say itself, watch it arrive."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from arena.events.models import Event, ImportJob, Membership
from arena.judging.ledger import seal_event
from arena.judging.models import Answer, Judgment
from arena.judging.tasks import run_vote_import
from tests.exports.cast import Cast, judgment_lines
from tests.factories import NOW, make_enrollment, make_event, make_user
from tests.judging.campaign import told
from tests.judging.vote_files import with_records

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
State = ImportJob.State


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "uploads"
    return tmp_path / "uploads"


@pytest.fixture
def event() -> Event:
    return with_records(make_event("copy", organizer=make_user("olga"), scale=7))


@pytest.fixture
def organizer(event: Event, client: Client) -> Client:
    client.force_login(event.memberships.get(role=Membership.Role.ORGANIZER).user)
    return client


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Imports handed to the worker."""
    sent: list[int] = []
    monkeypatch.setattr(run_vote_import, "delay", sent.append)
    return sent


HEADER = "annotator,question_id,model_a,model_b,winner,lang\n"
CSV = HEADER + "w1,r0,Ash,Birch,Model A,en\nw2,r0,Ash,Birch,unsure,en\nw2,r1,Birch,Ash,draw,en\n"
GRADED = (
    "worker,record,model_a,model_b,overall_preference\n"
    "w1,r0,Ash,Birch,-1\nw1,r1,Birch,Ash,-3\nw2,r0,Ash,Birch,2\n"
)


def upload(client: Client, content: str | bytes = CSV, page: str = "votes:new") -> ImportJob:
    """Drop a file; the import that waits for its mapping."""
    data = content.encode() if isinstance(content, str) else content
    name = "votes.jsonl" if data.startswith(b"{") else "votes.csv"
    response = client.post(reverse(page, args=["copy"]), {"file": SimpleUploadedFile(name, data)})
    job = ImportJob.objects.get(kind="judgments")
    assert response["Location"] == url_of(job)
    return job


def url_of(job: ImportJob) -> str:
    return reverse("votes:job", args=["copy", job.uuid])


def form_of(client: Client, job: ImportJob, **changes: str) -> dict[str, str]:
    """The form as the page gives it, with some boxes changed."""
    context = client.get(f"{url_of(job)}?edit=1").context
    form = {"mapped": "1"} | {box["name"]: box["chosen"] for box in context["boxes"]}
    for number, value in enumerate(context["preview"].values, start=1):
        form[f"value-{number}"] = value.value
    if example := context["preview"].example:
        form |= {"low": example.low, "high": example.high, "example": example.value}
    return form | changes


def press(
    client: Client, job: ImportJob, capture: Callable[..., Any], form: dict[str, str]
) -> None:
    """Press "Import", and let the transaction end."""
    with capture(execute=True):
        assert client.post(url_of(job), form).status_code == 302
    job.refresh_from_db()


def outcomes() -> list[int]:
    answers = Answer.objects.filter(outcome__isnull=False).order_by("judgment_id")
    return list(answers.values_list("outcome", flat=True))


def test_columns_are_guessed_and_unknown_values_asked(organizer: Client) -> None:
    job = upload(organizer)

    page = organizer.get(url_of(job))

    assert (job.kind, job.state) == ("judgments", State.UPLOADED)
    chosen = {box["column"]: box["chosen"] for box in page.context["boxes"]}
    assert chosen["annotator"] == "worker"
    assert chosen["question_id"] == "record"
    assert chosen["lang"] == ""
    [value] = page.context["preview"].values
    assert (value.value, value.count, value.line, value.answer) == ("unsure", 1, 3, None)
    text = page.content.decode()
    assert "What do these values mean?" in text
    assert "A is much better" in text
    assert "Which end is which?" not in text
    assert "--" not in "".join(error.message for error in page.context["preview"].report.errors)


def test_a_file_is_imported_with_what_was_said(
    organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    job = upload(organizer)
    form = form_of(organizer, job, **{"answer-1": "b3", "left": "a", "duplicates": "last"})

    press(organizer, job, django_capture_on_commit_callbacks, form)
    assert (job.state, queued) == (State.QUEUED, [job.pk])
    assert "Waiting for a worker" in organizer.get(url_of(job)).content.decode()
    run_vote_import(job.pk)

    assert outcomes() == [1, -3, 0]
    assert set(Answer.objects.values_list("first_on_left", flat=True)) == {True, False}
    assert set(Judgment.objects.values_list("origin", flat=True)) == {"imported"}
    job.refresh_from_db()
    assert (job.state, job.report["created"], bool(job.file)) == (State.DONE, 3, False)
    page = organizer.get(url_of(job)).content.decode()
    assert "See the board" in page
    assert "hx-trigger" not in page


@pytest.mark.parametrize(("better", "found"), [("a", [-1 + 2, -3, -2]), ("b", [-1, 3, 2])])
def test_which_end_is_which_is_asked_with_the_clearest_line(
    organizer: Client,
    queued: list[int],
    django_capture_on_commit_callbacks: Any,
    better: str,
    found: list[int],
) -> None:
    job = upload(organizer, GRADED)
    page = organizer.get(url_of(job))
    text = " ".join(page.content.decode().split())
    assert "In line 3 the value -3 means: much better is" in text
    example = page.context["preview"].example
    assert (example.model_a, example.model_b, example.low, example.high) == (
        "Birch", "Ash", "-3", "3",
    )  # fmt: skip

    # Without an answer nothing is begun, whatever else is pressed.
    press(organizer, job, django_capture_on_commit_callbacks, form_of(organizer, job))
    assert (job.state, queued) == (State.UPLOADED, [])
    asked = organizer.get(f"{url_of(job)}?edit=1").content.decode()
    assert "First say which end of the scale is which." in asked

    form = form_of(organizer, job, better=better)
    press(organizer, job, django_capture_on_commit_callbacks, form)
    run_vote_import(job.pk)
    # Line 3 says of Birch and Ash, so that Ash is the other one there.
    assert outcomes() == found


def test_a_scale_from_1_to_5_in_an_event_of_7_asks_what_each_means(
    organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    rows = "".join(f"w{n},r0,Ash,Birch,{n}\n" for n in range(1, 6))
    job = upload(organizer, "worker,record,model_a,model_b,score\n" + rows)
    assert organizer.get(url_of(job)).context["preview"].example.high == "5"
    organizer.post(url_of(job), form_of(organizer, job, better="b", look="1"))

    page = organizer.get(f"{url_of(job)}?edit=1")
    assert page.context["better"] == "b"
    assert {value.value for value in page.context["preview"].values} == {"1", "2", "4", "5"}
    form = form_of(organizer, job, better="b")
    for number in range(1, 5):
        form[f"answer-{number}"] = {"1": "a3", "2": "a1", "4": "b1", "5": "b3"}[
            form[f"value-{number}"]
        ]
    press(organizer, job, django_capture_on_commit_callbacks, form)
    run_vote_import(job.pk)

    assert outcomes() == [3, 1, 0, -1, -3]


def test_numbers_among_winners_are_asked_one_by_one(organizer: Client) -> None:
    job = upload(organizer, HEADER + "w1,r0,Ash,Birch,1,\nw2,r0,Ash,Birch,2,\nw3,r0,Ash,Birch,0,\n")
    values = organizer.get(url_of(job)).context["preview"].values
    assert {value.value for value in values} == {"0", "1", "2"}


def test_votes_of_nobody_named_ask_who_voted(organizer: Client, event: Event) -> None:
    job = upload(organizer, "record,model_a,model_b,winner\nr0,Ash,Birch,a\n")
    page = organizer.get(url_of(job))
    assert "Voter, if no column names one" in page.content.decode()
    assert "worker (who voted)" in page.context["preview"].report.errors[0].message

    organizer.post(url_of(job), form_of(organizer, job, worker="crowd", look="1"))
    preview = organizer.get(f"{url_of(job)}?edit=1").context["preview"]
    assert (preview.report.errors, preview.report.created) == ([], 1)


@pytest.mark.parametrize(
    ("given_by", "origin", "kind"),
    [("people", "imported", "human"), ("machines", "machine", "machine"),
     ("simulated", "simulated", "human")],
)  # fmt: skip
def test_the_page_says_whether_the_votes_count(
    organizer: Client,
    queued: list[int],
    django_capture_on_commit_callbacks: Any,
    given_by: str,
    origin: str,
    kind: str,
) -> None:
    job = upload(organizer, HEADER + "w1,r0,Ash,Birch,a,\n")
    organizer.post(url_of(job), form_of(organizer, job, given_by=given_by, look="1"))
    words = organizer.get(f"{url_of(job)}?edit=1").content.decode()
    assert ("These votes will count" in words) is (given_by == "people")
    assert ("will not count" in words) is (given_by != "people")
    Event.objects.update(counts_imported=False)
    assert "will not count" in organizer.get(f"{url_of(job)}?edit=1").content.decode()

    press(
        organizer,
        job,
        django_capture_on_commit_callbacks,
        form_of(organizer, job, given_by=given_by),
    )
    run_vote_import(job.pk)

    judgment = Judgment.objects.get()
    assert (judgment.origin, judgment.enrollment.kind) == (origin, kind)
    assert not Judgment.objects.counted().exists()


def test_wrong_lines_are_shown_before_and_after(
    organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    job = upload(organizer, HEADER + "w1,r0,Ash,Elm,a,\nw2,r9,Ash,Birch,a,\nw3,r0,Ash,Birch,a,\n")
    shown = organizer.get(url_of(job)).context["preview"].report.errors
    assert [(error.line, error.field) for error in shown] == [(2, "model_b"), (3, "question_id")]

    press(organizer, job, django_capture_on_commit_callbacks, form_of(organizer, job))
    run_vote_import(job.pk)
    job.refresh_from_db()
    assert job.state == State.REFUSED
    assert not Judgment.objects.exists()
    page = organizer.get(url_of(job)).content.decode()
    assert "Elm is unknown" in page
    assert "Import the other lines" in page

    press(organizer, job, django_capture_on_commit_callbacks, {"skip": "1"})
    run_vote_import(job.pk)
    assert outcomes() == [1]


@pytest.mark.parametrize("page", ["votes:new", "imports:new"])
def test_an_export_dropped_on_either_page_is_known(
    client: Client, queued: list[int], django_capture_on_commit_callbacks: Any, page: str
) -> None:
    source = Cast()
    source.judge_all()
    make_event("copy", organizer=source.organizer)
    client.force_login(source.organizer)
    content = "".join(judgment_lines(source.event)).encode()
    job = upload(client, content, page)
    text = client.get(url_of(job)).content.decode()
    assert "is an export of another event" in text
    assert "<th" not in text

    press(client, job, django_capture_on_commit_callbacks, {})
    run_vote_import(job.pk)

    copy = Event.objects.get(slug="copy")
    seal_event(copy.pk, NOW)
    assert told(copy) == told(source.event)
    assert "records came along: 5 new" in client.get(url_of(job)).content.decode()


def test_a_job_for_records_is_none_of_votes_and_the_other_way_round(organizer: Client) -> None:
    job = upload(organizer)
    there = organizer.get(reverse("imports:job", args=["copy", job.uuid]))
    assert there["Location"] == url_of(job)
    ImportJob.objects.filter(pk=job.pk).update(kind="records")
    assert organizer.get(url_of(job)).status_code == 404


def test_only_organizers_get_in(organizer: Client, event: Event, client: Client) -> None:
    job = upload(organizer)
    other = make_enrollment(event).user
    assert other is not None
    client.force_login(other)
    assert client.get(reverse("votes:new", args=["copy"])).status_code == 404
    assert client.get(url_of(job)).status_code == 404
    assert client.post(url_of(job), {}).status_code == 404


def test_a_file_that_cannot_be_read_says_why(organizer: Client) -> None:
    job = upload(organizer, b'worker,record\n"w1,r0\n')
    page = organizer.get(url_of(job))
    assert "quotation mark" in page.context["preview"].report.errors[0].message


def test_columns_with_blanks_in_their_names_are_guessed(event: Event, organizer: Client) -> None:
    header = "Rater ID,Question id,Left Model,right-model,Overall Preference\n"
    job = upload(organizer, header + "w1,r0,Ash,Birch,-1\n")

    boxes = organizer.get(url_of(job)).context["boxes"]

    chosen = [box["chosen"] for box in boxes]
    assert chosen == ["worker", "record", "model_a", "model_b", "outcome"]


def test_a_page_names_no_option_of_the_command(
    event: Event, organizer: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    job = upload(organizer, "record,model_a,model_b,Winner is\nr0,Ash,Birch,a\n")
    form = form_of(organizer, job)

    before = organizer.get(url_of(job)).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        organizer.post(url_of(job), form)
    run_vote_import(job.pk)
    after = organizer.get(url_of(job)).content.decode()

    for page in (before, after):
        assert "no column says worker" in page
        assert "--worker" not in page
        assert "--map" not in page


def test_of_a_file_that_cannot_be_read_nothing_is_said_to_count(
    event: Event, organizer: Client
) -> None:
    job = upload(organizer, "%PDF-1.7")

    page = organizer.get(url_of(job)).content.decode()

    assert "a PDF document" in page
    assert "will count" not in page
