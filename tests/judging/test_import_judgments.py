"""manage.py import_judgments, and `import_judgments` behind it."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from arena.errors import ArenaError
from arena.events.importing import ImportBusyError, ImportReport, import_records
from arena.events.importing.jobs import Hold
from arena.events.models import (
    Competitor,
    Enrollment,
    Event,
    ImportJob,
    Matchup,
    MatchupResponse,
    Response,
)
from arena.judging.importing import VoteOptions, import_judgments, writing
from arena.judging.ledger import seal_event, verify_ledger
from arena.judging.models import Answer, Assignment, Judgment, Origin
from arena.judging.tasks import seal_ledgers
from tests.factories import NOW, make_assignment, make_enrollment, make_event

pytestmark = pytest.mark.django_db
LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def event() -> Event:
    return with_records(make_event())


def with_records(event: Event, count: int = 3) -> Event:
    """Records r0, r1 …, each with responses of Ash, Birch and Cedar, in this order of keys."""
    rows = [
        {
            "external_id": f"r{number}",
            "prompt": f"Is it {number}?",
            "responses": {name: f"{name} says {number}." for name in ("Ash", "Birch", "Cedar")},
        }
        for number in range(count)
    ]
    content = io.BytesIO(json.dumps(rows).encode())
    report = import_records(event, content, accepts_doubts=True, now=NOW, rng=Random(1))
    assert report.landed
    return event


def vote(**fields: Any) -> dict[str, Any]:
    """Worker w1 prefers Ash to Birch on record r0."""
    said = {"worker": "w1", "record": "r0", "model_a": "Ash", "model_b": "Birch", "winner": "a"}
    return {key: value for key, value in (said | fields).items() if value is not None}


def bring(event: Event, votes: list[Any] | bytes, **options: Any) -> ImportReport:
    """Import votes given as objects or bytes."""
    if isinstance(votes, list):
        votes = "".join(json.dumps(one) + "\n" for one in votes).encode()
    said = {"ends": (2, -2)} | {
        name: options.pop(name) for name in VoteOptions.__dataclass_fields__ if name in options
    }
    return import_judgments(
        event,
        io.BytesIO(votes),
        options=VoteOptions(**said),
        **({"now": LATER, "rng": Random(1)} | options),
    )


def everything() -> dict[str, list[Any]]:
    """All rows that an import of votes may touch."""
    models = (Competitor, Enrollment, Response, Matchup, MatchupResponse, Judgment, Answer)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def outcomes() -> list[tuple[Any, ...]]:
    """What was stored, in the order of primary keys."""
    answers = Answer.objects.filter(outcome__isnull=False).order_by("judgment_id")
    return list(answers.values_list("outcome", "both_bad", "first_on_left"))


# --- it works ---------------------------------------------------------------------------------
def test_a_vote_becomes_a_judgment_that_counts(event: Event) -> None:
    slots = Matchup.objects.values_list("pk", "open_slots")
    before = list(slots.order_by("pk"))

    report = bring(event, [vote(timestamp="2026-05-01T10:00:00+02:00", comment=" Better. ")])

    assert (report.created, report.landed, report.errors) == (1, True, [])
    judgment = Judgment.objects.counted().get(event=event)
    assert (judgment.origin, judgment.assignment, judgment.guidelines) == ("imported", None, None)
    assert judgment.judged_at == datetime(2026, 5, 1, 8, tzinfo=UTC)
    preference, comment = judgment.answers.order_by("question__position")
    assert preference.first.competitor.name == "Ash"
    assert (preference.outcome, preference.both_bad, preference.first_on_left) == (1, False, None)
    assert comment.value == {"text": "Better."}
    assert judgment.matchup.places.count() == 2
    assert list(slots.order_by("pk")) == before
    assert not Assignment.objects.exists()


def test_workers_become_contributors_whose_pseudonyms_say_nothing(event: Event) -> None:
    bring(event, [vote(worker=7), vote(worker="Ann Ode"), vote(worker=7, record="r1")])

    enrollments = Enrollment.objects.order_by("external_id")
    assert [enrollment.external_id for enrollment in enrollments] == ["7", "Ann Ode"]
    assert {enrollment.kind for enrollment in enrollments} == {"human"}
    assert len({enrollment.pseudonym for enrollment in enrollments}) == 2
    assert not any("Ann" in enrollment.pseudonym for enrollment in enrollments)
    assert all(enrollment.user is None for enrollment in enrollments)


def test_pseudonyms_are_keyed_by_the_event(event: Event) -> None:
    other = with_records(make_event())
    for one in (event, other):
        bring(one, [vote(worker=f"w{number}") for number in range(5)])

    names = [set(one.enrollments.values_list("pseudonym", flat=True)) for one in (event, other)]
    assert names[0].isdisjoint(names[1])


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ({"winner": "a"}, (1, False)),
        ({"winner": "model_a"}, (1, False)),
        ({"winner": "B"}, (-1, False)),
        ({"winner": "tie"}, (0, False)),
        ({"winner": "both_bad"}, (0, True)),
        ({"winner": "tie (bothbad)"}, (0, True)),
        ({"winner": None, "outcome": 2}, (2, False)),
        ({"winner": None, "outcome": "-2"}, (-2, False)),
        ({"winner": "", "outcome": "+1"}, (1, False)),
        ({"winner": None, "outcome": 0}, (0, False)),
        ({"winner": None, "outcome": 2.0}, (2, False)),
        ({"winner": None, "outcome": "-1.0"}, (-1, False)),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_outcomes_are_stored_in_canonical_order(
    event: Event, said: dict[str, Any], stored: tuple[int, bool], swapped: bool
) -> None:
    models = {"model_a": "Birch", "model_b": "Ash"} if swapped else {}

    bring(event, [vote(**said, **models)])

    outcome, both_bad = stored
    assert outcomes() == [(-outcome if swapped else outcome, both_bad, None)]


@pytest.mark.parametrize(
    ("column", "option", "swapped", "first_on_left"),
    [
        (None, "unknown", False, None),
        (None, "a", False, True),
        (None, "a", True, False),
        (None, "b", True, True),
        ("model_a", "unknown", False, True),
        ("b", "a", False, False),
        ("unknown", "unknown", False, None),
        ("", "b", False, False),
    ],
)
def test_who_stood_left_is_kept_if_known(
    event: Event, column: str | None, option: str, swapped: bool, first_on_left: bool | None
) -> None:
    models = {"model_a": "Birch", "model_b": "Ash"} if swapped else {}

    bring(event, [vote(left=column, **models)], left=option)

    assert outcomes()[0][2] is first_on_left


@pytest.mark.parametrize(
    ("timestamp", "moment"),
    [
        (1_700_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("1700000000.5", datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)),
        (1_700_000_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("2023-11-14T22:13:20Z", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("2023-11-14 22:13", datetime(2023, 11, 14, 13, 13, tzinfo=UTC)),  # in Tokyo
        ("", None),
    ],
)
def test_moments_are_read_in_every_common_form(
    event: Event, timestamp: object, moment: datetime | None
) -> None:
    Event.objects.update(timezone="Asia/Tokyo")
    event.refresh_from_db()

    bring(event, [vote(timestamp=timestamp)])

    assert Judgment.objects.get().judged_at == moment


def test_judgments_keep_the_order_of_the_file(event: Event) -> None:
    said = [("w3", "r2"), ("w1", "r0"), ("w2", "r2"), ("w1", "r1"), ("w2", "r0")]

    bring(event, [vote(worker=worker, record=record) for worker, record in said])
    seal_event(event.pk, LATER)

    sealed = Judgment.objects.sealed().filter(event=event)
    stored = sealed.values_list("enrollment__external_id", "matchup__record__external_id")
    assert list(stored) == said
    assert verify_ledger(event.pk) is None


def test_a_missing_pair_becomes_a_matchup_with_its_slots() -> None:
    event = with_records(make_event(matchups_per_record=1), count=1)
    keys = set(Matchup.objects.values_list("key", flat=True))
    pairs = [("Ash", "Birch"), ("Cedar", "Ash"), ("Birch", "Cedar")]

    bring(event, [vote(model_a=first, model_b=second) for first, second in pairs])

    assert Matchup.objects.serving().count() == 3
    for matchup in Matchup.objects.exclude(key__in=keys):
        assert matchup.open_slots == event.overlap
        assert [place.position for place in matchup.places.all()] == [0, 1]
        assert matchup.key == ",".join(str(place.response_id) for place in matchup.places.all())
    assert make_assignment(make_enrollment(event)).matchup.judgments.count() == 1


def test_machines_are_enrolled_as_such(event: Event) -> None:
    bring(event, [vote(worker="gpt")], kind=Enrollment.Kind.MACHINE)

    judgment = Judgment.objects.get()
    assert (judgment.origin, judgment.enrollment.kind) == (Origin.MACHINE, "machine")
    assert not Judgment.objects.counted().exists()  # unless the event says so


def test_simulated_votes_are_marked(event: Event) -> None:
    bring(event, [vote()], origin=Origin.SIMULATED)

    assert Judgment.objects.get().origin == Origin.SIMULATED


@pytest.mark.parametrize(
    ("kind", "origin"), [("machine", "imported"), ("human", "machine"), ("human", "screen")]
)
def test_an_origin_that_would_be_a_lie_is_refused(event: Event, kind: str, origin: str) -> None:
    with pytest.raises(ArenaError, match="cannot be"):
        bring(event, [vote()], kind=kind, origin=origin)

    assert not ImportJob.objects.filter(kind="judgments").exists()


CSV = (
    "annotator,prompt,model_a,model_b,winner,pair\r\n"
    "w1,r0,Ash,Birch,a,0\r\nw2,r0,Ash,Birch,tie,0\r\n"
)


def test_csv_with_other_columns(event: Event) -> None:
    mapping = {"annotator": "worker", "prompt": "record", "pair": ""}

    assert bring(event, CSV.encode(), mapping=mapping).created == 2


# --- again ------------------------------------------------------------------------------------
def test_the_same_file_again_changes_nothing(event: Event) -> None:
    votes = [
        vote(timestamp="2026-01-01", comment="é", left="a"),
        vote(worker="w2", winner="both_bad"),
        vote(worker="w3", winner=None, outcome=-2, model_a="Birch", model_b="Ash"),
    ]
    bring(event, votes)
    before = everything()

    report = bring(event, [*votes, votes[0]])

    assert (report.created, report.unchanged, report.error_total) == (0, 4, 0)
    assert everything() == before


def test_another_vote_on_the_same_pair_is_an_error(event: Event) -> None:
    bring(event, [vote()])
    before = everything()

    report = bring(
        event,
        [
            vote(winner="b"),
            vote(worker="w2"),
            vote(
                worker="w2", model_a="Birch", model_b="Ash", winner="b"
            ),  # the same said otherwise
            vote(worker="w2", winner="tie"),
        ],
    )

    assert [(error.line, error.field) for error in report.errors] == [(1, "worker"), (4, "worker")]
    assert "in this event" in report.errors[0].message
    assert "in line 2" in report.errors[1].message
    assert everything() == before


def test_a_person_is_not_made_a_machine(event: Event) -> None:
    bring(event, [vote()])

    report = bring(event, [vote(record="r1")], kind=Enrollment.Kind.MACHINE)

    assert [(error.line, error.field) for error in report.errors] == [(1, "worker")]


# --- wrong lines ------------------------------------------------------------------------------
WRONG: dict[str, tuple[Any, str, str]] = {
    "unknown record": (vote(record="r9"), "record", "no record r9"),
    "unknown model": (vote(model_b="Brich"), "model_b", "did you mean Birch?"),
    "no such response": (vote(record="extra", model_b="Cedar"), "model_b", "no response to extra"),
    "same model": (vote(model_b="Ash"), "model_b", "same model"),
    "no worker": (vote(worker=""), "worker", "missing"),
    "blank worker": (vote(worker="  "), "worker", "empty"),
    "no record": (vote(record=None), "record", "missing"),
    "no model": (vote(model_a=None), "model_a", "missing"),
    "no winner": (vote(winner=None), "winner", "missing"),
    "winner and outcome": (vote(outcome=1), "winner", "beside outcome"),
    "unknown winner": (vote(winner="perhaps"), "winner", "not known"),
    "outcome off the scale": (vote(winner=None, outcome=3), "outcome", "-2, -1, 0, 1, 2"),
    "outcome a word": (vote(winner=None, outcome="much"), "outcome", "one of"),
    "outcome in between": (vote(winner=None, outcome=1.5), "outcome", "one of"),
    "outcome true": (vote(winner=None, outcome=True), "outcome", "one of"),
    "unknown side": (vote(left="top"), "left", "a, b, unknown"),
    "no moment": (vote(timestamp="yesterday"), "timestamp", "ISO 8601"),
    "moment a list": (vote(timestamp=[1]), "timestamp", "ISO 8601"),
    "future": (vote(timestamp="2031-01-01"), "timestamp", "future"),
    "long ago": (vote(timestamp="1789-07-14"), "timestamp", "before 1990"),
    "comment a number": (vote(comment=5), "comment", "a number"),
    "comment too long": (vote(comment="x" * 3000), "comment", "2,000 characters"),
    "nul": (vote(comment="\x00"), "comment", "NUL"),
    "surrogate": (vote(worker="\ud800"), "worker", "surrogate"),
    "unknown key": (vote(wniner="a"), "wniner", "did you mean winner?"),
    "no object": ([1], "", "object"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_line_is_named_and_nothing_is_left(event: Event, case: str) -> None:
    wrong, field, words = WRONG[case]
    extra = {"external_id": "extra", "prompt": "x", "responses": {"Ash": "x", "Birch": "y"}}
    import_records(event, io.BytesIO(json.dumps(extra).encode()), now=NOW, rng=Random(1))
    before = everything()

    report = bring(event, [vote(), wrong])

    assert not report.landed
    assert [(error.line, error.field) for error in report.errors] == [(2, field)]
    assert words in report.errors[0].message
    assert everything() == before


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("worker,record,model_a,model_b,wniner", [("", "--map wniner=winner")]),
        ("worker,record,model_a,left,winner", [("", "model_b (the other model's name)")]),
        ("worker,prompt,model_a,model_b,winner", [("", "record (the identifier of the record)")]),
    ],
)
def test_a_wrong_header_is_wrong_once(
    event: Event, header: str, found: list[tuple[str, str]]
) -> None:
    content = f"{header}\n" + "w1,r0,Ash,Birch,a\n" * 3

    report = bring(event, content.encode(), on_error="skip")

    assert not report.landed
    assert [(error.line, error.field) for error in report.errors] == [
        (1, name) for name, _ in found
    ]
    for error, (_, words) in zip(report.errors, found, strict=True):
        assert words in error.message


def test_texts_and_names_that_begin_with_a_sign_are_taken_to_the_letter(event: Event) -> None:
    lines = "=1+1,r0,Ash,Birch,a,=x\n-w,r0,Ash,Birch,b,- so so\n"

    report = bring(event, f"worker,record,model_a,model_b,winner,comment\n{lines}".encode())

    assert (report.created, report.errors) == (2, [])
    workers = Enrollment.objects.order_by("external_id").values_list("external_id", flat=True)
    assert list(workers) == ["-w", "=1+1"]


def test_errors_come_in_the_order_of_lines(event: Event) -> None:
    votes = [vote(record="r9", worker=f"w{number}") for number in range(3)]

    report = bring(event, [*votes, vote(winner="x"), votes[0]])

    assert [(error.where, error.count) for error in report.errors] == [("1, 2, 3, 5", 4), ("4", 1)]


@pytest.mark.parametrize(
    ("settings", "said", "words"),
    [
        ({"scale": 2}, {"winner": "tie"}, "no tie"),
        ({"both_bad": False}, {"winner": "both_bad"}, "does not offer"),
        ({"scale": 5}, {"winner": None, "outcome": 3}, "-2, -1, 0, 1, 2"),
        ({"scale": 2}, {"winner": None, "outcome": 0}, "no tie"),
    ],
)
def test_a_vote_fits_the_events_scale(
    settings: dict[str, Any], said: dict[str, Any], words: str
) -> None:
    event = with_records(make_event(**settings))

    assert words in bring(event, [vote(**said)]).errors[0].message


def test_a_comment_needs_a_question_for_it(event: Event) -> None:
    event.questions.filter(kind="text").delete()

    assert [error.field for error in bring(event, [vote(comment="x")]).errors] == ["comment"]


def test_votes_need_a_preference(event: Event) -> None:
    event.questions.filter(kind="preference").delete()

    with pytest.raises(ArenaError, match="no preference"):
        bring(event, [vote()])


@pytest.mark.parametrize("content", [b"", b"\n\n", b"worker,record\n", CSV.encode("utf-16")])
def test_a_file_without_votes_is_refused(event: Event, content: bytes) -> None:
    report = bring(event, content)

    assert not report.landed
    assert report.errors[0].line == 1


def test_the_other_votes_are_imported_where_the_caller_says_so(event: Event) -> None:
    report = bring(event, [vote(), vote(record="r9"), vote(record="r1")], on_error="skip")

    assert (report.created, report.skipped) == (2, 1)
    assert Judgment.objects.counted().count() == 2


def test_records_of_an_import_under_way_cannot_be_voted_on(event: Event) -> None:
    event.records.filter(external_id="r1").update(imported_at=None)

    assert bring(event, [vote(record="r1")]).errors[0].field == "record"


# --- crashes and others -----------------------------------------------------------------------
@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Event, list[Any]], None]:
    """Run an import that dies in its second batch as if by SIGKILL."""

    def run(event: Event, votes: list[Any]) -> None:
        original, calls = writing.write_batch, iter(range(100))

        def dies(*args: Any) -> None:
            if next(calls) == 1:
                raise KeyboardInterrupt
            original(*args)

        with monkeypatch.context() as patch:
            patch.setattr(writing, "write_batch", dies)
            patch.setattr(writing, "BATCH", 2)
            patch.setattr(Hold, "let_go", lambda *args: None)
            with pytest.raises(KeyboardInterrupt):
                bring(event, votes)
        old = timezone.now() - 2 * ImportJob.STALE_AFTER
        ImportJob.objects.under_way().update(heartbeat_at=old)

    return run


def test_a_killed_import_is_neither_seen_nor_sealed_and_cleaned_up_by_the_next(
    killed: Callable[[Event, list[Any]], None],
) -> None:
    event = with_records(make_event(matchups_per_record=1))
    before = everything()
    votes = [
        vote(worker=f"w{number}", record=f"r{number % 3}", model_b=("Birch", "Cedar")[number % 2])
        for number in range(6)
    ]
    killed(event, votes)

    assert Judgment.objects.count() == 2
    assert not Judgment.objects.standing().exists()
    assert Matchup.objects.serving().count() == 3
    seal_ledgers()
    assert not Judgment.objects.sealed().exists()
    assert bring(event, [vote(record="nowhere")]).error_total == 1
    assert everything() == before
    assert bring(event, votes).created == 6
    assert Judgment.objects.counted().count() == 6


def test_nothing_counts_before_the_last_batch_is_in(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH", 1)
    counted = []

    def look(state: str, done: int, total: int | None) -> None:
        counted.append((state, Judgment.objects.counted().count(), Judgment.objects.count()))

    bring(event, [vote(worker=f"w{number}") for number in range(5)], progress=look)

    assert {seen for _, seen, _ in counted} == {0}
    assert max(there for _, _, there in counted) == 4
    assert Judgment.objects.counted().count() == 5


def test_one_import_at_a_time(event: Event) -> None:
    ImportJob.objects.create(
        event=event, created_at=NOW, state=ImportJob.State.WRITING, heartbeat_at=timezone.now()
    )

    with pytest.raises(ImportBusyError):
        bring(event, [vote()])


def test_votes_freeze_the_text_they_were_about(event: Event) -> None:
    bring(event, [vote()])
    changed = {
        "external_id": "r0",
        "prompt": "Is it 0?",
        "responses": {"Ash": "New.", "Cedar": "x"},
    }

    report = import_records(
        event, io.BytesIO(json.dumps(changed).encode()), now=LATER, rng=Random(1)
    )

    assert [error.field for error in report.errors] == ["responses.Ash"]


# --- the command ------------------------------------------------------------------------------
def test_the_command_imports_a_file(event: Event, tmp_path: Path) -> None:
    path, out = tmp_path / "votes.csv", io.StringIO()
    path.write_text(CSV, encoding="utf-8")

    call_command(
        "import_judgments", event.slug, str(path), "--map", "annotator=worker",
        "--map", "prompt=record", "--map", "pair=", "--left", "a", stdout=out,
    )  # fmt: skip

    assert "Imported: 2 created." in out.getvalue()
    assert [left for *_, left in outcomes()] == [True, True]


def test_the_command_shows_errors_by_line_and_fails(event: Event, tmp_path: Path) -> None:
    path, out = tmp_path / "votes.csv", io.StringIO()
    path.write_text("worker,record,model_a,model_b,winner\nw1,r0,Ash,Elm,a\n", encoding="utf-8")

    with pytest.raises(CommandError, match="as it was"):
        call_command("import_judgments", event.slug, str(path), stdout=out)

    assert "Elm is unknown" in out.getvalue()
    assert not Judgment.objects.exists()


def test_the_command_says_what_is_missing(event: Event) -> None:
    with pytest.raises(CommandError, match="no event"):
        call_command("import_judgments", "nowhere", "votes.csv")
    with pytest.raises(CommandError, match="Cannot read"):
        call_command("import_judgments", event.slug, "/does/not/exist")
