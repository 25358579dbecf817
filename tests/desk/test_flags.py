"""The flag queue: the pair itself, resolved, retired, undone; and what is over."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from arena.desk.views.flags import PER_PAGE
from arena.events.models import Event, Membership
from arena.judging.models import Assignment, Flag
from arena.judging.recording import SKIP, check_answers, record_judgment
from arena.judging.skipping import flag_assignment
from arena.people.models import User
from tests.desk.cast import signed_in, url
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup,
    make_membership,
    make_user,
)

pytestmark = pytest.mark.django_db


def make_flag(event: Event, note: str = "cut off", reason: str = "broken") -> Assignment:
    assignment = make_assignment(make_enrollment(event))
    flag_assignment(assignment, reason, note, now=NOW)
    return assignment


def decide(desk: Client, event: Event, flagged: Assignment, act: str = "done", **more: str) -> str:
    form = {"assignment": str(flagged.uuid), "act": act} | more
    return desk.post(url("flags", event), form, follow=True).content.decode()


def queue(desk: Client, event: Event, query: str = "") -> str:
    return desk.get(url("flags", event) + query).content.decode()


def test_a_flag_shows_the_pair_with_its_texts_as_its_author_saw_them(
    desk: Client, event: Event
) -> None:
    flagged = make_flag(event)
    page = queue(desk, event)
    assert "cut off" in page
    assert flagged.matchup.record.prompt[-1]["content"] in page
    places = list(flagged.matchup.places.order_by("position"))
    left, right = (places[position].response for position in flagged.order)
    assert page.index(left.text) < page.index(right.text)
    for response in (left, right):
        assert response.competitor is not None
        assert response.competitor.name in page
    assert flagged.enrollment.pseudonym in page


def test_the_texts_are_shown_safely(desk: Client, organizer: User) -> None:
    event = make_event("hostile", organizer=organizer)
    texts = ("<script>pwned=1</script><img src=x onerror=pwned=1>", "**bold** \u202e turned")
    make_matchup(event, make_competitors(event, 2), texts=texts)
    make_flag(event, note="<b onclick=pwned=1>bold</b>")
    page = queue(desk, event)
    for raw in ("<script>pwned", "<img src=x", "<b onclick", "\u202e"):
        assert raw not in page
    assert "<strong>bold</strong>" in page


def test_a_reviewer_works_the_queue_like_an_organizer(event: Event) -> None:
    user = make_user()
    make_membership(event, user)
    flagged = make_flag(event)
    reviewer = signed_in(user)
    response = flagged.matchup.places.first().response
    assert response.competitor.name in queue(reviewer, event)
    decide(reviewer, event, flagged)
    assert Flag.objects.get().resolved_by == user


def test_a_resolved_flag_can_be_undone_at_once(desk: Client, event: Event) -> None:
    flagged = make_flag(event)
    page = decide(desk, event, flagged)
    assert f"The flag on {flagged.matchup.record.external_id} is resolved." in page
    assert "No flags are waiting." in page
    assert 'value="reopen"' in page
    page = decide(desk, event, flagged, "reopen")
    assert "cut off" in page
    flag = Flag.objects.get()
    assert (flag.resolved_at, flag.resolved_by) == (None, None)


def test_undoing_restores_a_pair_that_was_retired_with_its_flag(desk: Client, event: Event) -> None:
    flagged = make_flag(event)
    decide(desk, event, flagged, "retire")
    flagged.matchup.refresh_from_db()
    assert flagged.matchup.retired_at is not None
    decide(desk, event, flagged, "reopen")
    flagged.matchup.refresh_from_db()
    assert flagged.matchup.retired_at is None


def test_undoing_leaves_a_pair_retired_that_somebody_else_retired(
    desk: Client, event: Event
) -> None:
    flagged = make_flag(event)
    decide(desk, event, flagged)
    type(flagged.matchup).objects.filter(pk=flagged.matchup_id).update(retired_at=NOW)
    decide(desk, event, flagged, "reopen")
    flagged.matchup.refresh_from_db()
    assert flagged.matchup.retired_at == NOW


def test_what_is_resolved_is_listed_with_who_and_can_wait_again(
    desk: Client, event: Event, organizer: User
) -> None:
    flagged = make_flag(event)
    decide(desk, event, flagged)
    page = queue(desk, event, "?show=resolved")
    assert "cut off" in page
    assert f"Resolved by {organizer.username}" in page
    assert flagged.matchup.record.prompt[-1]["content"] in page
    page = decide(desk, event, flagged, "reopen", show="resolved")
    assert "No flags are resolved yet." in page
    assert Flag.objects.waiting().count() == 1


def test_a_flag_taken_back_waits_for_nobody_and_is_listed(desk: Client, event: Event) -> None:
    flagged = make_flag(event)
    answers = check_answers(flagged, {"preference": "a1"})
    record_judgment(flagged, answers, now=NOW + timedelta(seconds=9), replaces=SKIP)
    assert "No flags are waiting." in queue(desk, event)
    page = queue(desk, event, "?show=resolved")
    assert "Withdrawn by the contributor" in page
    assert "Reopen" not in page
    assert b"0 <small>to review" in desk.get(url("overview", event)).content


def test_a_control_that_a_prize_needs_is_not_retired_and_its_flag_waits(
    desk: Client, organizer: User
) -> None:
    event = make_event("prize", organizer=organizer, prize="A book", control_interval=12)
    make_matchup(event, make_competitors(event, 2))
    control = make_control(event)
    flagged = Assignment.objects.create(
        enrollment=make_enrollment(event),
        matchup=control,
        ordinal=1,
        order=[1, 0],
        state="shown",
        reserved_at=NOW,
        shown_at=NOW,
        lease_until=NOW + timedelta(minutes=30),
    )
    flag_assignment(flagged, "broken", "cut off", now=NOW)
    page = decide(desk, event, flagged, "retire")
    assert "notice-danger" in page
    control.refresh_from_db()
    assert control.retired_at is None
    assert Flag.objects.waiting().count() == 1


def test_nobody_resolves_anothers_flags(desk: Client, event: Event) -> None:
    other = make_event(organizer=make_user())
    make_matchup(other, make_competitors(other, 2))
    flagged = make_flag(other)
    decide(desk, event, flagged)
    assert Flag.objects.waiting().count() == 1
    for uuid in ("", "none"):
        reply = desk.post(url("flags", event), {"assignment": uuid, "act": "done"})
        assert reply.status_code == 404
    assert desk.get(url("flags", event) + "?done=none").status_code == 404
    assert "is resolved" not in queue(desk, event, f"?done={flagged.uuid}")


def test_two_reviewers_resolve_a_flag_once(desk: Client, event: Event) -> None:
    flagged = make_flag(event)
    decide(desk, event, flagged)
    first = Flag.objects.get()
    user = make_user()
    make_membership(event, user, Membership.Role.ORGANIZER)
    decide(signed_in(user), event, flagged, "retire")
    second = Flag.objects.get()
    assert (second.resolved_at, second.resolved_by) == (first.resolved_at, first.resolved_by)
    flagged.matchup.refresh_from_db()
    assert flagged.matchup.retired_at is None


def test_a_long_queue_has_pages_that_cost_the_same(desk: Client, event: Event) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            queue(desk, event)
        return len(queries)

    models = make_competitors(event, 2)
    make_flag(event)
    few = cost()
    for _ in range(PER_PAGE + 2):
        make_matchup(event, models)
        make_flag(event)
    assert cost() <= few + 1
    assert queue(desk, event).count("data-queue-item") == PER_PAGE
    assert queue(desk, event, "?page=2").count("data-queue-item") == 3


def test_a_flag_of_a_moment_ago_is_dated(desk: Client, event: Event) -> None:
    flagged = make_flag(event)
    before = timezone.now()
    decide(desk, event, flagged)
    resolved_at = Flag.objects.get().resolved_at
    assert resolved_at is not None
    assert before <= resolved_at <= timezone.now()
