"""Rounds and the final result: sealed under a name, kept for ever, never computed here."""

from datetime import timedelta

import pytest

from arena.errors import ConflictError
from arena.events.decision_record import Ruling
from arena.events.lifecycle.transitions import close_event
from arena.events.models import Event
from arena.judging.ledger import seal_event
from arena.judging.review.appeals import answer_appeal, open_appeal
from arena.judging.review.exclusions import exclude, lift_exclusion
from leaderboard.contributors.reliability import refresh_reliability
from leaderboard.models import Board, Snapshot
from leaderboard.results.rounds import (
    FINAL,
    awaits_correction,
    publish_event,
    published_rounds,
    seal_round,
)
from leaderboard.snapshots import refresh as refresh_module
from leaderboard.snapshots.refresh import find_due_events, refresh_event
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
    make_membership,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    event = make_event(overlap=20)
    models = make_competitors(event, 2)
    make_matchups(event, models, 4)
    judge(event)
    return event


def judge(event: Event, minutes: int = 0, *, refresh: bool = True) -> None:
    now = NOW + timedelta(minutes=minutes)
    enrollment = make_enrollment(event)
    for posted in ("a1", "tie", "b2"):
        make_judgment(enrollment, posted, now=now)
    seal_event(event.pk, now)
    if refresh:
        refresh_event(event, now=now)


def shown(event: Event) -> int:
    snapshot = Board.objects.get(event=event).current_snapshot
    assert snapshot is not None
    return snapshot.judgments


def test_a_round_keeps_the_boards_under_a_name(event: Event) -> None:
    sealed = seal_round(event, "Week 1", NOW)
    with pytest.raises(ConflictError, match="Nothing has changed"):
        seal_round(event, "Week 2", NOW)
    judge(event, 1)
    with pytest.raises(ConflictError, match="Another round"):
        seal_round(event, "Week 1", NOW)
    assert seal_round(event, "Week 2", NOW).judgments == 6
    sealed.refresh_from_db()
    assert (sealed.name, sealed.judgments) == ("Week 1", 3)
    assert sealed.ratings.exists()


def test_nothing_is_sealed_before_it_is_computed(event: Event) -> None:
    judge(event, 1, refresh=False)
    with pytest.raises(ConflictError, match="being computed"):
        seal_round(event, "Week 1", NOW)
    assert not Snapshot.objects.exclude(sealed_at=None).exists()


def test_publishing_seals_the_result_of_a_closed_event(event: Event) -> None:
    with pytest.raises(ConflictError):
        publish_event(event, NOW)
    close_event(event, Ruling(None, NOW))
    with pytest.raises(ConflictError, match="being computed"):
        publish_event(event, NOW)
    later(event, 0)
    final = publish_event(event, NOW)
    event.refresh_from_db()
    assert (event.state, final.name) == (Event.State.PUBLISHED, FINAL)
    assert shown(event) == 3
    with pytest.raises(ConflictError):
        publish_event(event, NOW)


def published(event: Event) -> Snapshot:
    close_event(event, Ruling(None, NOW))
    later(event, 0)
    return publish_event(event, NOW)


def pointer(event: Event) -> Snapshot | None:
    return Board.objects.get(event=event).current_snapshot


def later(event: Event, minutes: int) -> None:
    now = NOW + timedelta(minutes=minutes)
    refresh_reliability(Event.objects.get(pk=event.pk), now=now)
    refresh_event(Event.objects.get(pk=event.pk), now=now)


def test_a_published_result_stays_until_it_is_corrected(event: Event) -> None:
    final = published(event)
    assert not awaits_correction(event)
    exclusion = exclude(event.judgments.first().enrollment, "unreliable", Ruling(None, NOW))
    Event.objects.update(timezone="Asia/Tokyo")
    event.refresh_from_db()
    later(event, 1)
    later(event, 2)
    assert pointer(event) == final
    assert awaits_correction(event)
    with pytest.raises(ConflictError, match="reserved for the result"):
        seal_round(event, FINAL, NOW)
    correction = seal_round(event, "Corrected", NOW + timedelta(minutes=3))
    assert pointer(event) == correction
    assert (correction.judgments, final.judgments) == (0, 3)
    assert not awaits_correction(event)
    assert published_rounds([event]) == {event.pk: ["Corrected", FINAL]}
    lift_exclusion(exclusion, Ruling(None, NOW))
    later(event, 4)
    assert pointer(event) == correction
    assert seal_round(event, "As it was", NOW + timedelta(minutes=5)).judgments == 3


def test_an_appeal_granted_after_the_publication_waits_for_a_correction(event: Event) -> None:
    who, rita, otto = event.enrollments.get(), make_user(), make_user()
    for one in (rita, otto):
        make_membership(event, one)
    exclusion = exclude(who, "unreliable", Ruling(rita, NOW, "No care."))
    final = published(event)
    event.refresh_from_db()
    assert (event.published_at, final.judgments) == (NOW, 0)
    appeal = open_appeal(who, exclusion.decision, "I read all of it.", NOW)
    answer_appeal(appeal, Ruling(otto, NOW, "So it is."), granted=True)
    later(event, 1)
    assert pointer(event) == final
    assert awaits_correction(event)
    correction = seal_round(event, "Corrected", NOW + timedelta(minutes=2))
    assert (pointer(event), correction.judgments) == (correction, 3)


def test_a_rebuild_leaves_the_published_result_where_it_is(event: Event) -> None:
    final = published(event)
    refresh_event(event, now=NOW + timedelta(minutes=1), rebuild=True)
    assert pointer(event) == final
    assert not awaits_correction(event)
    with pytest.raises(ConflictError, match="Nothing has changed"):
        seal_round(event, "Again", NOW)


def test_without_judgments_there_is_no_result() -> None:
    event = make_event(state=Event.State.CLOSED)
    with pytest.raises(ConflictError, match="Nobody has judged"):
        publish_event(event, NOW)


def test_ranks_stand_still_while_frozen_and_move_when_closed(event: Event) -> None:
    Event.objects.update(state=Event.State.FROZEN)
    event.refresh_from_db()
    judge(event, 1)
    assert shown(event) == 3
    close_event(event, Ruling(None, NOW))
    refresh_event(event, now=NOW + timedelta(minutes=2))
    assert shown(event) == 6


def test_a_new_method_is_no_correction(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    final = published(event)
    standings = list(event.standings.order_by("pk").values())
    monkeypatch.setattr(refresh_module, "METHOD", 99)
    monkeypatch.setattr(refresh_module, "MIN_INTERVAL", timedelta(0))
    assert event.pk not in find_due_events(NOW + timedelta(hours=1), over=True)
    later(event, 60)
    assert event.snapshots.latest() == final
    assert list(event.standings.order_by("pk").values()) == standings
    assert not awaits_correction(event)
    # Snapshots from before the content was kept apart are known by their fingerprint.
    monkeypatch.setattr(refresh_module, "METHOD_BEFORE_CONTENT", 4)
    parts = refresh_module.list_content(event)
    before = refresh_module.digest_of_parts([4, *parts])
    Snapshot.objects.filter(pk=final.pk).update(content="", fingerprint=before)
    assert not awaits_correction(event)
    exclude(event.judgments.first().enrollment, "unreliable", Ruling(None, NOW))
    assert awaits_correction(event)
    assert event.pk in find_due_events(NOW + timedelta(hours=2), over=True)
