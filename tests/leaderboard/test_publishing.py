"""When boards are due, when the public sees them, and how snapshots thin out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from arena.events.lifecycle.batches import MAX_WAIT
from arena.events.models import Control, Event
from arena.judging.ledger import seal_event
from arena.judging.models import Judgment
from arena.judging.recording import exclude_as_late
from leaderboard import tasks
from leaderboard.models import Board, CategoryBoard, Rating, Snapshot, Standing
from leaderboard.snapshots import refresh as refreshing
from leaderboard.snapshots.publishing import publish_snapshot, thin_snapshots
from leaderboard.snapshots.refresh import find_due_events, refresh_event
from tests.factories import NOW, make_control, make_enrollment
from tests.leaderboard.votes import Crowd, figures, make_all_votes, make_vote, refresh
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


def test_a_batch_is_twenty_judgments_of_five_people_controls_included() -> None:
    crowd = Crowd(publish_batch=20)
    for judge in crowd.judges[:4]:
        for matchup in [*crowd.matchups[:5], crowd.controls[0]]:
            make_vote(judge, matchup)
    refresh(crowd.event)
    assert public(crowd.event) is None  # 24 judgments of four people

    make_vote(crowd.judges[4], crowd.controls[0])
    first = refresh(crowd.event, LATER)
    assert public(crowd.event) == first  # 25 of five

    for judge in crowd.judges[:5]:
        for matchup in crowd.matchups[5:9][: 4 if judge != crowd.judges[0] else 3]:
            make_vote(judge, matchup)
    refresh(crowd.event, LATER + timedelta(minutes=1))
    assert public(crowd.event) == first  # 19 further ones


def test_nobody_brings_more_than_two_fifths_of_a_batch() -> None:
    crowd = Crowd(publish_batch=20)
    for judge in crowd.judges[:5]:
        for matchup in crowd.matchups[: 15 if judge == crowd.judges[0] else 4]:
            make_vote(judge, matchup)
    refresh(crowd.event)
    assert public(crowd.event) is None  # 15 of 31
    for matchup in crowd.matchups[:7]:
        make_vote(crowd.judges[5], matchup)
    moved = refresh(crowd.event, LATER)
    assert public(crowd.event) == moved  # 15 of 38


def test_a_batch_with_a_prize_is_a_hundred_judgments_of_ten_people() -> None:
    crowd = Crowd(judges=10, publish_batch=20, prize="A book")
    for judge in crowd.judges[:9]:
        for matchup in crowd.matchups[:12]:
            make_vote(judge, matchup)
    refresh(crowd.event)
    assert public(crowd.event) is None  # 108 of nine people
    make_vote(crowd.judges[9], crowd.matchups[0])
    moved = refresh(crowd.event, LATER)
    assert public(crowd.event) == moved


def test_after_six_hours_the_smallest_batch_will_do_and_nothing_less() -> None:
    crowd = Crowd(publish_batch=1000)
    for judge in crowd.judges[:4]:
        for matchup in crowd.matchups[:5]:
            make_vote(judge, matchup)
    held = refresh(crowd.event)
    assert refresh(crowd.event, NOW + MAX_WAIT) is None
    assert public(crowd.event) is None  # of four people
    make_vote(crowd.judges[4], crowd.matchups[0])
    held = refresh(crowd.event, NOW + MAX_WAIT - timedelta(minutes=1))
    assert public(crowd.event) is None
    assert refresh(crowd.event, NOW + MAX_WAIT) is None
    assert public(crowd.event) == held
    assert public(crowd.event).published_at == NOW + MAX_WAIT


def test_without_controls_a_batch_is_a_number_of_judgments() -> None:
    crowd = Crowd(publish_batch=12)
    Control.objects.all().delete()
    for matchup in crowd.matchups[:11]:
        make_vote(crowd.judges[0], matchup)
    refresh(crowd.event)
    assert public(crowd.event) is None
    make_vote(crowd.judges[0], crowd.matchups[11])
    moved = refresh(crowd.event, LATER)
    assert public(crowd.event) == moved


@pytest.mark.parametrize("state", [Event.State.CLOSED, Event.State.FROZEN])
def test_a_closed_event_shows_what_a_frozen_one_holds_back(state: str) -> None:
    crowd = Crowd(publish_batch=20)
    for judge in crowd.judges:
        make_vote(judge, crowd.matchups[0])
    held = refresh(crowd.event)
    Event.objects.update(state=state)
    refresh(crowd.event, LATER)
    shown = public(crowd.event)
    if state == Event.State.CLOSED:
        assert shown is not None
        assert shown.ledger_seq == held.ledger_seq
    else:
        assert shown is None


def test_late_answers_fill_a_batch_like_any_other() -> None:
    """To a control no answer is late."""
    crowd = Crowd(publish_batch=20)
    for judge in crowd.judges[:5]:
        for matchup in crowd.matchups[:4]:
            vote = make_vote(judge, matchup)
    exclude_as_late(vote, NOW)
    assert not Judgment.objects.counted().filter(pk=vote.pk).exists()
    shown = refresh(crowd.event)
    assert public(crowd.event) == shown
    assert shown.judgments == 20


def test_a_category_waits_for_a_batch_of_its_own() -> None:
    crowd = Crowd(publish_batch=20)
    maths, poems = (
        [one for one in crowd.matchups if category in one.record.categories.all()]
        for category in crowd.categories
    )
    for judge in crowd.judges[:5]:
        for matchup in [*maths[:4], *poems[:3]]:
            make_vote(judge, matchup)
    first = refresh(crowd.event)
    shown = {board.category: board.snapshot for board in CategoryBoard.objects.all()}
    assert shown == {crowd.categories[0]: first}

    for judge in crowd.judges[:5]:
        for matchup in [*poems[3:6], maths[4]]:
            make_vote(judge, matchup)
    second = refresh(crowd.event, LATER)
    shown = {board.category: board.snapshot for board in CategoryBoard.objects.all()}
    assert shown == dict(zip(crowd.categories, [first, second], strict=True))
    assert first.details  # which a page still shows
    thin_snapshots(NOW + timedelta(days=400))
    assert Snapshot.objects.filter(pk=first.pk).exists()


def test_places_move_with_the_board() -> None:
    crowd = Crowd(judges=12, publish_batch=100)
    controls = [*crowd.controls, *(make_control(crowd.event, 1) for _ in range(8))]
    ordinary = [*crowd.matchups, *(crowd.matchup(1, 0, crowd.categories[0]) for _ in range(240))]
    for judge in crowd.judges[:5]:
        for matchup in controls:
            make_vote(judge, matchup, Control.objects.get(matchup=matchup).key["sign"])
        make_all_votes(
            [(judge, matchup, 1, bool(place % 2)) for place, matchup in enumerate(ordinary)]
        )
    refresh(crowd.event)
    assert public(crowd.event) is None
    standings = Standing.objects.filter(event=crowd.event)
    assert set(standings.values_list("judgments", "rank", "band")) == {(270, None, None)}
    assert standings.filter(quality__gt=0).count() == 5
    assert refresh(crowd.event, NOW + MAX_WAIT) is None
    assert public(crowd.event) is not None
    refresh(crowd.event, NOW + MAX_WAIT + timedelta(minutes=1))
    assert standings.filter(rank__gte=1, band__gt=1).count() == 5


def test_what_was_written_for_a_board_of_the_past_is_the_same_after_a_rebuild() -> None:
    crowd = Crowd(publish_batch=20)
    crowd.vote()
    refresh(crowd.event)
    make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    refresh(crowd.event, LATER)
    before = figures(crowd.event)
    assert refresh(crowd.event, LATER + timedelta(minutes=1), rebuild=True) is not None
    assert figures(crowd.event) == before


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
