"""The public ledger of exclusions: what it says, what it keeps to itself, and what it costs."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from arena.events.decision_record import Ruling, record_decision
from arena.events.models import Act, Enrollment, Event, Matchup
from arena.judging.models import Appeal, Exclusion, Judgment
from arena.judging.review.cases import reinstate
from arena.judging.review.exclusions import exclude, exclude_judgments
from arena.people.models import User
from leaderboard.models import Snapshot
from leaderboard.snapshots.publishing import publish_snapshot, thin_snapshots
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup,
    make_user,
)
from tests.leaderboard.reading import text
from tests.leaderboard.votes import Crowd, make_vote, refresh
from tests.undoing import undone

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
Reason = Exclusion.Reason


def read(event: Event) -> str:
    return text(Client().get(reverse("leaderboard:exclusions", args=[event.slug])))


def read_json(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = (
        Client().get(reverse("leaderboard:exclusions_json", args=[event.slug])).json()
    )
    return found


class Reviewed:
    """An event in which five people have made three judgments each, and its one organizer."""

    def __init__(self, **settings: Any) -> None:
        self.organizer: User = make_user()
        self.event = make_event(organizer=self.organizer, **settings)
        models = make_competitors(self.event, 2)
        self.matchups = [make_matchup(self.event, models) for _ in range(3)]
        self.people = [make_enrollment(self.event) for _ in range(5)]
        for person in self.people:
            self.judge(person, self.matchups)

    def judge(self, person: Enrollment, matchups: Iterable[Matchup]) -> list[Judgment]:
        return [make_vote(person, matchup) for matchup in matchups]

    def rule(self, now: datetime = NOW, note: str = "Found out.") -> Ruling:
        return Ruling(self.organizer, now, note)

    def exclude(self, person: Enrollment, reason: str, now: datetime = NOW) -> Exclusion:
        return exclude(person, reason, self.rule(now))


@pytest.fixture
def reviewed() -> Reviewed:
    return Reviewed()


def tallies(said: dict[str, Any]) -> list[tuple[str, str | None, int, int]]:
    return [
        (line["kind"], line["reason"], line["judgments"], line["people"])
        for line in said["reasons"]
    ]


def test_an_event_without_exclusions_says_so(reviewed: Reviewed) -> None:
    assert "Nothing has been excluded" in read(reviewed.event)
    assert read_json(reviewed.event)["days"] == []


def test_it_counts_by_day_and_names_nobody(reviewed: Reviewed) -> None:
    first, second, third, fourth, _ = reviewed.people
    for person in (first, second, third):
        reviewed.exclude(person, Reason.RIGGING)
    only = Judgment.objects.filter(enrollment=fourth)[:2]
    exclude_judgments(list(only), Reason.BROKEN, reviewed.rule(NOW + DAY))
    page, said = read(reviewed.event), read_json(reviewed.event)
    assert "9 judgments of 3 people" in page
    assert "2 judgments of 1 person" in page
    assert said["in_force"] == {"judgments": 11, "people": 4}
    assert [day["day"] for day in said["days"]] == ["2026-11-02", "2026-11-01"]
    assert tallies(said) == [("excluded", "rigging", 9, 3), ("excluded", None, 2, 1)]
    assert "Suspected manipulation" in page
    assert "Other reasons" in page
    kept = ["Shown text was broken", "Found out.", *(str(person) for person in reviewed.people)]
    assert [words for words in kept if words in page] == []


def test_days_are_those_of_the_events_time_zone() -> None:
    reviewed = Reviewed(timezone="Pacific/Auckland")
    reviewed.exclude(reviewed.people[0], Reason.RIGGING)
    assert [day["day"] for day in read_json(reviewed.event)["days"]] == ["2026-11-02"]


def test_reasons_of_today_are_not_told(reviewed: Reviewed) -> None:
    for person in reviewed.people:
        reviewed.exclude(person, Reason.RIGGING, timezone.now())
    assert tallies(read_json(reviewed.event)) == [("excluded", None, 15, 5)]


def appeal(person: Enrollment, decision: Any, opened: datetime, **fields: Any) -> Appeal:
    return Appeal.objects.create(
        event=person.event, enrollment=person, decision=decision, opened_at=opened, **fields
    )


def test_an_appeal_that_is_granted_brings_the_counts_back(reviewed: Reviewed) -> None:
    event, person = reviewed.event, reviewed.people[0]
    before = read_json(event)["in_force"]
    exclusion = reviewed.exclude(person, Reason.UNRELIABLE)
    assert read_json(event)["in_force"] == {"judgments": 3, "people": 1}
    opened = appeal(person, exclusion.decision, NOW + DAY)
    assert read_json(event)["appeals"]["open"] == 1
    later = NOW + 2 * DAY
    reinstate(exclusion, reviewed.rule(later, "A mistake."), act=Act.APPEAL_GRANTED)
    Appeal.objects.filter(pk=opened.pk).update(
        state=Appeal.State.GRANTED, answered_at=later, is_answered_by_decider=True
    )
    said = read_json(event)
    assert said["in_force"] == before
    assert said["appeals"] == {
        "open": 0,
        "overdue": 0,
        "granted": 1,
        "declined": 0,
        "by_decider": 1,
    }
    last, middle, first = said["days"]
    assert first["excluded"] == last["reinstated"] == {"judgments": 3, "people": 1}
    assert (middle["appealed"]["people"], last["granted"]["people"]) == (1, 1)
    page = read(event)
    assert "1 granted" in page
    assert "1 appeal was answered by the person who had decided" in page


def test_what_comes_back_is_as_much_as_was_taken(reviewed: Reviewed) -> None:
    """A judgment that is excluded for itself does not come back with its contributor."""
    person = reviewed.people[0]
    one = Judgment.objects.filter(enrollment=person)[0]
    exclude(one, Reason.BROKEN, reviewed.rule())
    exclusion = reviewed.exclude(person, Reason.RIGGING)
    reinstate(exclusion, reviewed.rule(NOW + DAY))
    said = read_json(reviewed.event)
    assert said["days"][1]["excluded"] == {"judgments": 3, "people": 1}
    assert said["days"][0]["reinstated"] == {"judgments": 2, "people": 1}
    assert said["in_force"] == {"judgments": 1, "people": 1}


def test_an_appeal_that_waits_too_long_is_counted(reviewed: Reviewed) -> None:
    now = timezone.now()
    for person, age in zip(reviewed.people, (6.9, 7.1, 30), strict=False):
        decision = reviewed.exclude(person, Reason.RIGGING).decision
        appeal(person, decision, now - age * DAY)
    said = read_json(reviewed.event)["appeals"]
    assert (said["open"], said["overdue"]) == (3, 2)
    assert "2 for more than seven days" in read(reviewed.event)


def test_what_one_person_decided_alone_is_listed_at_once(reviewed: Reviewed) -> None:
    event, now = reviewed.event, timezone.now()
    assert "Decided by one person" not in read(event)
    Event.objects.filter(pk=event.pk).update(state=Event.State.CLOSED)
    person = Enrollment.objects.get(pk=reviewed.people[0].pk)
    exclude(person, Reason.RIGGING, reviewed.rule(now), is_grave=True)
    record_decision(
        event, Act.KEY_CHANGED, reviewed.rule(now), is_alone=True, matchup="a-record: a-key"
    )
    page, said = read(event), read_json(event)
    assert [one["act"] for one in said["decided_alone"]] == ["key_changed", "excluded"]
    assert [one["reason"] for one in said["decided_alone"]] == [None, "rigging"]
    assert "Decided by one person" in page
    assert "Suspected manipulation" in page
    kept = ("a-record", "Found out.", "Staff ", person.pseudonym)
    assert [words for words in kept if words in page + str(said)] == []


# --- exclusions that rest on no decision ---------------------------------------------------------
def put_late(judgment: Judgment) -> None:
    Exclusion.objects.create(
        event=judgment.event, judgment=judgment, reason=Reason.LATE, created_at=NOW
    )


def test_exclusions_from_before_decisions_are_counted(reviewed: Reviewed) -> None:
    *people, last = reviewed.people
    rows = [
        Exclusion.objects.create(
            event=reviewed.event, enrollment=person, reason=Reason.RIGGING, created_at=NOW
        )
        for person in people
    ]
    Exclusion.objects.create(
        event=reviewed.event,
        judgment=Judgment.objects.filter(enrollment=last).first(),
        reason=Reason.BROKEN,
        created_at=NOW,
    )
    # One lifted back then, one since.
    Exclusion.objects.filter(pk=rows[0].pk).update(lifted_at=NOW + DAY)
    reinstate(rows[1], reviewed.rule(NOW + 2 * DAY))
    said = read_json(reviewed.event)
    assert tallies(said) == [
        ("excluded", "rigging", 12, 4),
        ("excluded", None, 1, 1),
        ("reinstated", None, 6, 2),
    ]
    assert said["in_force"] == {"judgments": 7, "people": 3}
    days = {day["day"][-2:]: day for day in said["days"]}
    assert days["01"]["excluded"] == {"judgments": 13, "people": 5}
    assert days["02"]["reinstated"] == days["03"]["reinstated"] == {"judgments": 3, "people": 1}


def test_late_answers_are_told_once_the_event_is_over(reviewed: Reviewed) -> None:
    event, empty = reviewed.event, read(reviewed.event)
    for judgment in Judgment.objects.filter(enrollment__in=reviewed.people[:3]):
        put_late(judgment)
    assert read(event) == empty
    one = Exclusion.objects.filter(event=event)[0]
    reinstate(one, reviewed.rule())
    assert read(event) == empty
    Event.objects.filter(pk=event.pk).update(state=Event.State.CLOSED)
    assert tallies(read_json(event)) == [("excluded", "late", 9, 3), ("reinstated", None, 1, 1)]
    assert "Answered after its time" in read(event)


# --- what no number may tell ---------------------------------------------------------------------
def make_alike() -> tuple[Reviewed, Enrollment, Enrollment]:
    """A running event with controls, somebody who has met three of them and nothing else, and
    somebody who has met none."""
    reviewed = Reviewed()
    controls = [make_control(reviewed.event) for _ in range(3)]
    measured, unmeasured = (make_enrollment(reviewed.event) for _ in range(2))
    reviewed.judge(measured, controls)
    reviewed.judge(unmeasured, reviewed.matchups)
    return reviewed, measured, unmeasured


def test_a_number_with_controls_is_like_one_without() -> None:
    reviewed, *people = make_alike()
    pages, statements = [], []
    for person in people:
        for subjects in ([person], list(Judgment.objects.filter(enrollment=person)[:2])):
            with undone():
                for subject in subjects:
                    exclude(subject, Reason.RIGGING, reviewed.rule())
                with CaptureQueriesContext(
                    connection,
                ) as queries:
                    pages.append(read(reviewed.event))
                statements.append(len(queries))
    whole, single, other_whole, other_single = pages
    assert (whole, single) == (other_whole, other_single)
    assert whole != single
    assert len(set(statements)) == 1


def test_late_answers_hide_in_the_number_of_a_running_event() -> None:
    """Of controls none is late: a number without late answers would tell somebody which are not."""
    reviewed, measured, unmeasured = make_alike()
    late = Judgment.objects.filter(enrollment=unmeasured)[0]
    put_late(late)
    pages = []
    for person in (measured, unmeasured):
        with undone():
            exclusion = exclude(person, Reason.RIGGING, reviewed.rule())
            pages.append(read(reviewed.event))
            reinstate(exclusion, reviewed.rule(NOW + DAY))
            pages.append(read(reviewed.event))
    assert pages[:2] == pages[2:]
    Event.objects.filter(pk=reviewed.event.pk).update(state=Event.State.CLOSED)
    with undone():
        reviewed.exclude(Enrollment.objects.get(pk=unmeasured.pk), Reason.RIGGING)
        assert read_json(reviewed.event)["in_force"] == {"judgments": 2, "people": 1}


# --- boards before and after ---------------------------------------------------------------------
def board_of(crowd: Crowd, at: datetime, *, is_shown: bool = True) -> Snapshot:
    snapshot = refresh(crowd.event, at)
    assert snapshot is not None
    if not is_shown:
        Snapshot.objects.filter(pk=snapshot.pk).update(published_at=None)
    return snapshot


def moved_on(event: Event, day: str) -> Any:
    return next(one["board"] for one in read_json(event)["days"] if one["day"] == day)


def test_boards_before_and_after_a_day_are_compared() -> None:
    crowd = Crowd()
    crowd.vote()
    board_of(crowd, NOW)
    later = NOW + DAY
    for judge in crowd.judges[:3]:
        exclude(judge, Reason.RIGGING, Ruling(None, later))
    board_of(crowd, later + timedelta(hours=1))
    board = moved_on(crowd.event, "2026-11-02")
    assert board["before"].startswith("2026-11-01")
    assert board["after"].startswith("2026-11-02")
    assert board["shift"] > 0
    assert board["ranks"]
    page = read(crowd.event)
    assert f"points at most ({board['shifted']})" in page
    # The first board has none before it.
    exclude(crowd.judges[3], Reason.RIGGING, Ruling(None, NOW))
    assert moved_on(crowd.event, "2026-11-01") is None
    assert "No new board" in read(crowd.event)


def test_only_boards_that_were_shown_are_compared() -> None:
    crowd = Crowd()
    crowd.vote()
    board_of(crowd, NOW)
    exclude(crowd.judges[0], Reason.RIGGING, Ruling(None, NOW + DAY))
    kept_back = board_of(crowd, NOW + DAY, is_shown=False)
    assert moved_on(crowd.event, "2026-11-02") is None
    publish_snapshot(kept_back, NOW + DAY)
    assert moved_on(crowd.event, "2026-11-02")


def test_boards_that_hide_controls_are_compared_as_they_are_shown() -> None:
    """Without the judge there are too few votes for rounded ratings, and no exact one is told."""
    crowd = Crowd()
    crowd.vote()
    board_of(crowd, NOW)
    exclude(crowd.judges[0], Reason.RIGGING, Ruling(None, NOW + DAY))
    board_of(crowd, NOW + DAY)
    assert moved_on(crowd.event, "2026-11-02")["shift"]
    Event.objects.filter(pk=crowd.event.pk).update(publish_batch=20)
    board = moved_on(crowd.event, "2026-11-02")
    assert board["shift"] is None
    assert {move["after"] for move in board["ranks"]} == {None}


def test_a_board_that_was_shown_is_not_thinned_out_for_one_that_was_not() -> None:
    event, now = make_event(), datetime(2026, 12, 1, 12, tzinfo=UTC)
    ages = {"shown": 50, "shown later": 49, "kept back": 48}
    made = {
        name: Snapshot.objects.create(
            event=event,
            created_at=now - 2 * DAY + (50 - minutes) * timedelta(minutes=1),
            ledger_seq=1,
            judgments=1,
            contributors=1,
            published_at=None if name == "kept back" else now - 2 * DAY,
        ).pk
        for name, minutes in ages.items()
    }
    assert thin_snapshots(now) == 1
    left = set(Snapshot.objects.values_list("pk", flat=True))
    assert left == {made["shown later"], made["kept back"]}


# --- what it costs ------------------------------------------------------------------------------
def test_a_page_costs_as_many_statements_whatever_is_on_it(reviewed: Reviewed) -> None:
    counts = []
    for number, person in enumerate(reviewed.people):
        with CaptureQueriesContext(connection) as queries:
            read(reviewed.event)
        counts.append(len(queries))
        decision = reviewed.exclude(person, Reason.RIGGING, NOW + number * DAY).decision
        appeal(person, decision, NOW + number * DAY)
    assert counts == [counts[0]] * len(counts)
    assert counts[0] <= 20


def test_days_come_in_pages(reviewed: Reviewed) -> None:
    for number in range(35):
        exclusion = exclude(
            Judgment.objects.filter(enrollment=reviewed.people[0])[0],
            Reason.BROKEN,
            reviewed.rule(NOW - number * DAY),
        )
        reinstate(exclusion, reviewed.rule(NOW - number * DAY))
    address = reverse("leaderboard:exclusions", args=[reviewed.event.slug])
    first, second = (Client().get(address, {"page": page}) for page in ("1", "2"))
    assert (len(first.context["days"]), len(second.context["days"])) == (30, 5)
    assert Client().get(address, {"page": "nonsense"}).status_code == 200
