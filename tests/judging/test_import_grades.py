"""Other people's votes: grades between two ends, dates, repeated votes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from arena.events.models import Event
from arena.judging.importing.reading.value_answers import read_value_answers
from arena.judging.ledger import seal_event, verify_ledger
from arena.judging.models import Judgment
from tests.factories import make_event
from tests.judging.foreign_votes import bring, stored
from tests.judging.vote_files import LATER, vote, with_records

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def event() -> Event:
    return with_records(make_event())


# --- grades -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scale", "ends", "numbers", "outcomes"),
    [
        (7, (3, -3), [3, 2, 1, 0, -1, -2, -3], [3, 2, 1, 0, -1, -2, -3]),
        (7, (-3, 3), [3, 2, 1, 0, -1, -2, -3], [-3, -2, -1, 0, 1, 2, 3]),
        (7, (1, 7), [1, 2, 3, 4, 5, 6, 7], [3, 2, 1, 0, -1, -2, -3]),
        (5, (-2, 2), ["-2", "−1", "0", "+1", "2.0"], [2, 1, 0, -1, -2]),
        (5, (5, 1), [1, 2, 3, 4, 5], [-2, -1, 0, 1, 2]),
        (5, (0, 4), [0, 1, 2, 3, 4], [2, 1, 0, -1, -2]),
        (5, (1, 4), [1, 2, 3, 4], [2, 1, -1, -2]),
        (3, (-3, 3), [-3, -1, 0, 2], [1, 1, 0, -1]),
        (2, (1, 4), [1, 2, 3, 4], [1, 1, -1, -1]),
        (3, (1, 2), [1, 1.5, 1.25, 2], [1, 0, None, -1]),
        (7, (1, -1), [1, 0, -1], [1, 0, -1]),
    ],
)
def test_grades_between_two_ends(
    scale: int, ends: tuple[int, int], numbers: list[Any], outcomes: list[int | None]
) -> None:
    event = with_records(make_event(scale=scale))
    votes = [vote(worker=f"w{n}", winner=None, outcome=number) for n, number in enumerate(numbers)]

    report = bring(event, votes, "skip", ends=ends)

    wanted = [outcome for outcome in outcomes if outcome is not None]
    assert [outcome for outcome, *_ in stored()] == wanted
    assert len(report.errors) == len(outcomes) - len(wanted)


def test_which_end_is_which_is_asked_with_an_example(event: Event) -> None:
    votes = [vote(winner=None, outcome=-2), vote(worker="w2", winner=None, outcome=1)]

    report = bring(event, votes, "skip")

    assert not report.landed
    [error] = report.errors
    assert (error.line, error.field) == (1, "outcome")
    assert "The value -2 is a grade" in error.message
    assert "Ash (model_a) or Birch (model_b) better" in error.message
    assert "--ends" in error.message


def test_degrees_that_the_event_does_not_have_are_asked_for(event: Event) -> None:
    votes = [vote(winner=None, outcome=number, worker=f"w{number}") for number in (-3, 1, 2)]
    report = bring(event, votes, ends=(-3, 3))
    assert {error.field for error in report.errors} == {"outcome"}
    assert "3 degrees and the event's scale 2" in report.errors[0].message

    values = read_value_answers(["-3=a2", "-2=a1", "-1=a1", "1=b1", "2=b1", "3=b2", "0=tie"])
    assert bring(event, votes, values=values).landed
    assert [outcome for outcome, *_ in stored()] == [2, -1, -1]


def test_degrees_that_are_lost_are_told() -> None:
    event = with_records(make_event(scale=3))
    report = bring(event, [vote(winner=None, outcome=3)], ends=(-3, 3))
    assert [outcome for outcome, *_ in stored()] == [-1]
    assert "degrees are left out" in report.warnings[0].message


# --- dates ------------------------------------------------------------------------------------
NOON = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-05-01 10:00:00 UTC", "2026-05-01 10:00:00.000000 UTC", "2026-05-01T10:00:00Z",
        "2026-05-01T10:00:00.000Z", "2026-05-01 12:00:00+02:00", "2026-05-01 12:00:00 +0200",
        "2026-05-01 12:00 +02", "2026-05-01 10:00 GMT", "2026-05-01T10:00:00 utc",
        "2026/05/01 10:00:00Z", "2026-5-1 10:00 UTC", "Fri, 01 May 2026 10:00:00 GMT",
        "Fri, 01 May 2026 12:00:00 +0200", 1777629600, "1777629600", "1777629600.0",
        1777629600.0, "1777629600000", "1777629600000.0", 1777629600000000, "1.7776296e9",
        "1777629600000000000", "2026-05-01T05:00:00-05:00", "2026-05-01 10:00:00,000 UTC",
    ],
)  # fmt: skip
def test_a_moment_is_read_however_it_is_written(event: Event, written: object) -> None:
    assert bring(event, [vote(timestamp=written)]).errors == []
    assert Judgment.objects.get().judged_at == NOON


@pytest.mark.parametrize("written", ["2026-05-01 19:00", "2026-05-01T19:00:00", "01.05.2026 19:00"])
def test_a_moment_without_a_zone_is_the_events(event: Event, written: str) -> None:
    Event.objects.update(timezone="Asia/Tokyo")
    event.refresh_from_db()

    assert bring(event, [vote(timestamp=written)]).errors == []
    assert Judgment.objects.get().judged_at == NOON


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("05/01/2026", "cannot be told apart"), ("2026-05-01 10:00 CEST", "ISO 8601"),
        ("2026-13-01", "ISO 8601"), ("2026-02-30 10:00", "ISO 8601"), ("soon", "ISO 8601"),
        (True, "ISO 8601"), ("2026-05-01 UTC", "ISO 8601"), ("2026-05-01 25:00", "ISO 8601"),
    ],
)  # fmt: skip
def test_a_moment_that_nobody_can_tell_is_refused(event: Event, written: Any, words: str) -> None:
    [error] = bring(event, [vote(timestamp=written)]).errors
    assert error.field == "timestamp"
    assert words in error.message


# --- repeated votes ---------------------------------------------------------------------------
AGAIN = [
    vote(winner="a"),
    vote(worker="w2", winner="b"),
    vote(model_a="Birch", model_b="Ash", winner="a"),  # the same pair in the other order: Birch
    vote(winner="a"),  # back to the first
    vote(winner="tie"),
]


@pytest.mark.parametrize(
    ("duplicates", "standing", "kept", "counts"),
    [("first", 1, 2, (2, 1, 2)), ("last", 0, 2, (2, 0, 3)), ("both", 0, 5, (5, 0, 0))],
)
def test_repeated_votes_of_one_worker_on_one_pair(
    event: Event, duplicates: str, standing: int, kept: int, counts: tuple[int, int, int]
) -> None:
    assert "says otherwise" in bring(event, AGAIN).errors[0].message
    assert not Judgment.objects.exists()

    report = bring(event, AGAIN, duplicates=duplicates)

    assert (report.created, report.unchanged, report.skipped) == counts
    mine = Judgment.objects.filter(enrollment__external_id="w1")
    assert Judgment.objects.count() == kept
    assert mine.get(standing=True).answers.get().outcome == standing
    assert Judgment.objects.counted().count() == 2
    assert (
        f"{duplicates if duplicates == 'first' else 'last'} vote stands"
        in report.warnings[0].message
    )
    seal_event(event.pk, LATER)
    assert verify_ledger(event.pk) is None


def test_both_keeps_every_earlier_vote_as_a_revision(event: Event) -> None:
    bring(event, AGAIN, duplicates="both")

    mine = Judgment.objects.filter(enrollment__external_id="w1").order_by("pk")
    said = [(judgment.revision, judgment.answers.get().outcome) for judgment in mine]
    assert said == [(0, 1), (1, -1), (2, 1), (3, 0)]
    assert [judgment.revises_id for judgment in mine] == [None, *(j.pk for j in mine[:3])]


def test_a_vote_that_is_in_the_event_already_stays_or_stops_the_import(event: Event) -> None:
    bring(event, [vote(winner="a")])
    for duplicates in ("last", "both"):
        [error] = bring(event, [vote(winner="b")], duplicates=duplicates).errors
        assert "in this event already" in error.message
    report = bring(event, [vote(winner="b"), vote(worker="w2")], duplicates="first")
    assert (report.created, report.skipped) == (1, 1)
    assert [outcome for outcome, *_ in stored()] == [1, 1]
