"""When boards are due, when the public sees them, and how snapshots thin out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from arena.events.models import Event
from arena.judging.ledger import seal_event
from leaderboard import tasks
from leaderboard.models import Board, Rating, Snapshot
from leaderboard.snapshots import refresh as refreshing
from leaderboard.snapshots.publishing import MAX_WAIT, publish_snapshot, thin_snapshots
from leaderboard.snapshots.refresh import find_due_events, refresh_event
from tests.factories import NOW, make_enrollment
from tests.leaderboard.votes import Crowd, figures, make_vote, refresh
from tests.threads import parallel_map

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


# --- one at a time -----------------------------------------------------------------------------
def test_a_claimed_board_is_left_alone_until_the_claim_ends(crowd: Crowd) -> None:
    crowd.vote()
    seal_event(crowd.event.pk, NOW)
    assert Board.claim(crowd.event, NOW, NOW + refreshing.LEASE)
    assert not Board.claim(crowd.event, NOW, NOW + refreshing.LEASE)
    assert refresh_event(crowd.event, now=LATER) is None
    assert list(find_due_events(LATER)) == []
    assert refresh_event(crowd.event, now=NOW + refreshing.LEASE) is not None


@pytest.mark.django_db(transaction=True)
def test_eight_workers_make_one_snapshot(crowd: Crowd) -> None:
    crowd.vote()
    seal_event(crowd.event.pk, NOW)
    done = parallel_map([lambda: refresh_event(crowd.event, now=NOW)] * 8)
    assert [one for one in done if isinstance(one, BaseException)] == []
    assert Snapshot.objects.count() == len([one for one in done if one])
    assert Board.objects.get(event=crowd.event).claimed_until is None
    for row in figures(crowd.event)["ratings"]:
        assert row["strength"] is not None


def test_a_refresh_that_fails_gives_the_board_back(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd.vote()
    with monkeypatch.context() as broken:
        broken.setattr(refreshing, "fit_board", lambda votes: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            refresh(crowd.event)
    assert Snapshot.objects.count() == 0
    assert refresh(crowd.event) is not None


def test_due_events_rest_between_snapshots(crowd: Crowd) -> None:
    crowd.vote()
    seal_event(crowd.event.pk, NOW)
    assert list(find_due_events(NOW)) == [crowd.event.pk]
    refresh(crowd.event)
    make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    seal_event(crowd.event.pk, NOW)
    assert list(find_due_events(NOW + timedelta(seconds=2))) == []
    assert list(find_due_events(NOW + refreshing.MIN_INTERVAL)) == [crowd.event.pk]
    refresh(crowd.event, LATER)
    assert list(find_due_events(LATER + timedelta(hours=1))) == []


def test_an_expensive_refresh_is_followed_by_a_rest(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([10.0, 10.0, 20.0, 21.0])  # a refresh for nothing, and one of a second
    monkeypatch.setattr(tasks, "process_time", lambda: next(times))
    crowd.vote()
    for is_resting in (False, True):
        seal_event(crowd.event.pk, NOW)
        tasks.refresh_board(crowd.event.pk)
        make_vote(make_enrollment(crowd.event), crowd.matchups[0])
        seal_event(crowd.event.pk, NOW)
        due = list(find_due_events(timezone.now() + refreshing.MIN_INTERVAL))
        assert due == ([] if is_resting else [crowd.event.pk])


def test_events_that_are_over_are_looked_at_by_themselves(crowd: Crowd) -> None:
    crowd.vote()
    seal_event(crowd.event.pk, NOW)
    Event.objects.update(state=Event.State.PUBLISHED)
    assert list(find_due_events(NOW)) == []
    assert list(find_due_events(NOW, over=True)) == [crowd.event.pk]


# --- publishing --------------------------------------------------------------------------------
def public(event: Event) -> Snapshot | None:
    return Snapshot.objects.filter(board__event=event).first()


def test_a_batched_board_moves_after_enough_judgments_of_enough_people() -> None:
    crowd = Crowd(judges=12, publish_batch=30)
    for number, judge in enumerate(crowd.judges):
        make_vote(judge, crowd.matchups[0], number % 3 - 1)
        make_vote(judge, crowd.controls[0])
    refresh(crowd.event)
    assert public(crowd.event) is None  # 24 judgments

    for judge in crowd.judges[:6]:
        make_vote(judge, crowd.matchups[1])
    first = refresh(crowd.event, LATER)
    assert public(crowd.event) == first  # 30 judgments of twelve people

    for matchup in crowd.matchups[2:8]:
        for judge in crowd.judges[:9]:
            make_vote(judge, matchup)
    refresh(crowd.event, LATER + timedelta(minutes=1))
    assert public(crowd.event) == first  # 54 judgments of nine people

    held = Snapshot.objects.latest()
    assert refresh(crowd.event, LATER + MAX_WAIT) is None
    assert public(crowd.event) == held
    assert held.published_at is None
    assert public(crowd.event).published_at == LATER + MAX_WAIT


def test_a_rebuild_publishes_nothing_that_was_held_back() -> None:
    crowd = Crowd(judges=12, publish_batch=1000)
    crowd.vote(share=0.3)
    refresh(crowd.event)
    rebuilt = refresh(crowd.event, LATER, rebuild=True)
    assert public(crowd.event) is None
    assert list(crowd.event.snapshots.all()) == [rebuilt]


def test_an_older_snapshot_never_takes_the_board_back(crowd: Crowd) -> None:
    crowd.vote()
    old = refresh(crowd.event)
    make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    new = refresh(crowd.event, LATER)
    publish_snapshot(old, LATER)
    assert public(crowd.event) == new


def test_snapshots_thin_out_with_age(crowd: Crowd) -> None:
    """All of a day, the last of an hour for a month, then the last of a day; sealed ones stay."""
    crowd.vote(share=0.2)
    now = NOW.replace(hour=23, minute=59)
    kept = [
        timedelta(hours=1),
        timedelta(hours=1, minutes=5),
        timedelta(days=2),
        timedelta(days=40),
    ]
    gone = [timedelta(days=2, minutes=5), timedelta(days=40, hours=3)]
    round_end = timedelta(days=40, hours=4)
    for age in sorted([*kept, *gone, round_end], reverse=True):
        Snapshot.objects.create(
            event=crowd.event, created_at=now - age, ledger_seq=1, judgments=1, contributors=1
        )
    Snapshot.objects.filter(created_at=now - round_end).update(name="round 1", sealed_at=NOW)
    shown = refresh(crowd.event, now - timedelta(days=50))

    assert thin_snapshots(now) == 2

    left = set(Snapshot.objects.exclude(pk=shown.pk).values_list("created_at", flat=True))
    assert left == {now - age for age in [*kept, round_end]}
    assert Rating.objects.filter(snapshot=shown).exists()
    assert thin_snapshots(now) == 0
