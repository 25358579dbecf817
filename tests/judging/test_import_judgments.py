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
from arena.events.importing import ImportBusyError, import_records
from arena.events.importing.jobs import JobHold
from arena.events.models import (
    Enrollment,
    Event,
    ImportJob,
    Matchup,
)
from arena.judging.importing.vote_jobs import run_vote_job
from arena.judging.importing.writing import judgments as writing
from arena.judging.ledger import seal_event, verify_ledger
from arena.judging.models import Answer, Assignment, Judgment, Origin
from arena.judging.tasks import seal_ledgers
from tests.events.pairs import assert_pairs_stored
from tests.factories import NOW, make_assignment, make_enrollment, make_event
from tests.judging.vote_files import CSV, LATER, bring, everything, vote, with_records

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return with_records(make_event())


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
    assert_pairs_stored(event, pairs=3)
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
            patch.setattr(writing, "BATCH_SIZE", 2)
            patch.setattr(JobHold, "release", lambda *args: None)
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


def test_a_killed_import_that_is_started_again_begins_from_nothing(
    event: Event, killed: Callable[[Event, list[Any]], None]
) -> None:
    votes = [vote(worker=f"w{number}", record=f"r{number % 3}") for number in range(5)]
    killed(event, votes)
    assert Judgment.objects.count() == 2
    job = ImportJob.objects.get(kind=ImportJob.Kind.JUDGMENTS)
    lines = "".join(json.dumps(one) + "\n" for one in votes).encode()

    report = run_vote_job(job, io.BytesIO(lines), now=LATER, rng=Random(1))

    assert (report.created, report.unchanged, report.errors) == (5, 0, [])
    assert Judgment.objects.counted().count() == Judgment.objects.count() == 5


def test_nothing_counts_before_the_last_batch_is_in(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH_SIZE", 1)
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

    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("import_judgments", event.slug, str(path), stdout=out)

    assert "Elm is unknown" in out.getvalue()
    assert not Judgment.objects.exists()


def test_the_command_says_what_is_missing(event: Event) -> None:
    with pytest.raises(CommandError, match="no event"):
        call_command("import_judgments", "nowhere", "votes.csv")
    with pytest.raises(CommandError, match="Cannot read"):
        call_command("import_judgments", event.slug, "/does/not/exist")
