"""The judging pages: a round through them, each refusal, and that they keep their secrets."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from arena.errors import LimitError
from arena.events.decision_record import Ruling
from arena.events.joining.enrolling import join_with_open_seat, provision_event_seats
from arena.events.models import Enrollment, Event, Matchup
from arena.judging.leaving.unused_seats import return_unused_seats
from arena.judging.models import Assignment, Exclusion, Flag, Judgment
from arena.judging.review.exclusions import exclude, lift_exclusion
from arena.judging.serving.leases import next_assignment
from arena.people.models import Seat
from tests.factories import (
    make_enrollment,
    make_user,
)
from tests.judging.cast import HTMX, Cast, signed_in, skeleton

pytestmark = pytest.mark.django_db


def test_next_leads_to_the_matchup_and_judging_leads_on() -> None:
    cast = Cast()
    response = cast.client.get(cast.next_url)
    first = cast.assignment()
    assert response.headers["Location"] == reverse("judging:judge", args=[first.uuid])
    page = cast.client.get(response.headers["Location"])
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    response = cast.judge("b2")
    second = cast.assignment()
    assert second != first
    assert response.headers["Location"] == reverse("judging:judge", args=[second.uuid])
    assert Judgment.objects.get().assignment == first


def test_htmx_gets_the_next_matchup_in_the_reply() -> None:
    cast = Cast()
    response = cast.judge(**HTMX)
    assert response.status_code == 200
    assert response.content.strip().startswith(b"<section")
    assert str(cast.assignment().uuid).encode() in response.content
    assert response.headers["HX-Replace-Url"].endswith(f"{cast.assignment().uuid}/")


def test_an_answer_that_is_none_comes_back_with_what_was_typed() -> None:
    cast = Cast()
    url = reverse("judging:judge", args=[cast.assignment().uuid])
    response = cast.client.post(url, {"comment": "typed with care"})
    assert response.status_code == 422
    assert b"Choose an answer first." in response.content
    assert b"typed with care" in response.content
    assert not Judgment.objects.exists()


def test_skip_and_flag_lead_on() -> None:
    cast = Cast()
    skipped = cast.assignment()
    url = reverse("judging:skip", args=[skipped.uuid])
    assert cast.client.post(url, {"reason": "no such reason"}).status_code == 422
    assert cast.client.post(url, {"reason": "length"}).status_code == 302
    flagged = cast.assignment()
    assert flagged != skipped
    url = reverse("judging:flag", args=[flagged.uuid])
    assert cast.client.post(url, {"reason": "recognised", "note": "x" * 501}).status_code == 422
    assert cast.client.post(url, {"reason": "recognised", "note": "it says so"}).status_code == 302
    assert Flag.objects.get().assignment == flagged
    assert not Judgment.objects.exists()


def test_undo_shows_the_answer_and_a_change_is_a_revision() -> None:
    cast = Cast()
    first = cast.assignment()
    reply = cast.judge("a2", **HTMX)
    undo = reverse("judging:undo", args=[first.uuid])
    assert undo.encode() in reply.content
    current = cast.assignment()
    page = cast.client.get(undo)
    assert re.search(rb'value="a2"\s+data-key="1"\s+checked', page.content)
    assert b'name="replaces" value="0"' in page.content
    cast.judge("b1", assignment=first, replaces="0")
    assert Judgment.objects.standing().get().revision == 1
    assert cast.assignment() == current


def test_undo_is_over_after_its_window() -> None:
    cast = Cast(undo_seconds=60)
    first = cast.assignment()
    cast.judge("a2")
    Judgment.objects.update(judged_at=timezone.now() - timedelta(minutes=10))
    page = cast.client.get(reverse("judging:undo", args=[first.uuid]), follow=True)
    assert b"too late" in page.content
    page = cast.client.post(
        reverse("judging:judge", args=[first.uuid]),
        {"preference": "b1", "replaces": "0"},
        follow=True,
    )
    assert "“A is much better”. It is too late to change it." in page.content.decode()
    assert Judgment.objects.get().revision == 0


def test_the_guidelines_come_first_and_again_when_they_change() -> None:
    cast = Cast()
    cast.enrollment.guidelines = None
    cast.enrollment.save()
    guidelines = reverse("events:guidelines", args=[cast.event.slug])
    assert cast.client.get(cast.next_url).headers["Location"] == guidelines
    assert cast.client.post(guidelines, {"version": "7"}).headers["Location"] == guidelines
    assert cast.client.post(guidelines, {"version": "1"}).headers["Location"] == cast.next_url
    assignment = cast.assignment()
    cast.event.guidelines.create(version=2, text="# New")
    reply = cast.judge(assignment=assignment, **HTMX)
    assert reply.headers["HX-Redirect"] == guidelines
    assert Judgment.objects.get().guidelines.version == 1


def test_everything_judged_is_a_page_of_its_own() -> None:
    cast = Cast(matchups=1)
    assert cast.judge(**HTMX).headers["HX-Redirect"] == cast.next_url
    page = cast.client.get(cast.next_url)
    assert page.status_code == 200
    assert b"You have judged everything" in page.content


def test_a_closed_event_says_so_and_keeps_what_it_has() -> None:
    cast = Cast()
    assignment = cast.assignment()
    cast.judge()
    Event.objects.update(state="closed")
    assert b"Judging has closed" in cast.client.get(cast.next_url).content
    cast.judge("b1", assignment=assignment)
    assert Judgment.objects.get().revision == 0


def test_what_was_shown_before_closing_is_still_shown_and_nothing_new_is_served() -> None:
    cast = Cast(grace_minutes=10)
    shown = cast.assignment()
    Event.objects.update(closes_at=timezone.now() - timedelta(minutes=1))
    response = cast.client.get(cast.next_url)
    assert response.headers["Location"] == reverse("judging:judge", args=[shown.uuid])
    cast.judge(assignment=shown)
    assert Judgment.objects.counted().count() == 1
    assert b"The deadline has passed" in cast.client.get(cast.next_url).content
    assert Assignment.objects.exclude(state="reserved").count() == 1


def test_a_lease_that_ran_out_before_the_deadline_is_not_shown_after_it() -> None:
    cast = Cast(grace_minutes=10)
    shown = cast.assignment()
    now = timezone.now()
    Assignment.objects.update(lease_until=now - timedelta(seconds=1))
    Event.objects.update(closes_at=now - timedelta(minutes=1))
    for url in (cast.next_url, reverse("judging:judge", args=[shown.uuid])):
        page = cast.client.get(url, follow=True)
        assert b"The deadline has passed" in page.content
    reply = cast.client.post(
        reverse("judging:judge", args=[shown.uuid]), {"preference": "a1"}, follow=True
    )
    assert b"came too late to count" in reply.content
    assert Judgment.objects.get().exclusions.get().reason == "late"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_answer_to_a_closed_event_is_saved_and_the_page_says_that_it_came_late(
    headers: dict[str, str],
) -> None:
    cast = Cast()
    shown = cast.assignment()
    Event.objects.update(state="closed")
    reply = cast.judge(assignment=shown, **headers)
    page = cast.client.get(cast.next_url) if headers else reply
    page = cast.client.get(page.headers["Location"]) if page.status_code == 302 else page
    assert b"Judging has closed" in page.content
    assert b"Your answer is saved, but came too late to count" in page.content
    assert not Judgment.objects.counted().exists()


def test_after_the_deadline_no_change_is_offered() -> None:
    cast = Cast(grace_minutes=10)
    first = cast.assignment()
    cast.judge("a2")
    shown = cast.assignment()
    Event.objects.update(closes_at=timezone.now() - timedelta(seconds=1))
    undo = reverse("judging:undo", args=[first.uuid])
    page = cast.client.get(undo, follow=True)
    assert b"It is too late to change this answer." in page.content
    assert b"Save change" not in page.content
    page = cast.client.get(reverse("judging:judge", args=[shown.uuid]))
    assert page.status_code == 200
    assert undo.encode() not in page.content


@pytest.mark.parametrize("page", ["next", "judge"])
def test_a_returned_seat_whose_holder_goes_on_is_not_handed_on(page: str) -> None:
    cast = Cast()
    provision_event_seats(cast.event, 1, Seat.Kind.OPEN, timezone.now())
    arrival = join_with_open_seat(cast.event, timezone.now(), terms=1)
    Enrollment.objects.filter(pk=arrival.enrollment.pk).update(
        guidelines=cast.event.guidelines.latest()
    )
    client = signed_in(arrival.user)
    client.get(cast.next_url)
    shown = Assignment.objects.get(enrollment=arrival.enrollment, state="shown")
    return_unused_seats(timezone.now() + timedelta(hours=3))
    assert Seat.objects.get().claimed_at is None
    client.get(cast.next_url if page == "next" else reverse("judging:judge", args=[shown.uuid]))
    with pytest.raises(LimitError):
        join_with_open_seat(cast.event, timezone.now(), terms=1)


def test_my_page_lists_what_i_judged_and_nobody_elses() -> None:
    cast = Cast()
    cast.judge("b2")
    other = make_enrollment(cast.event)
    page = cast.client.get(reverse("judging:me", args=[cast.event.slug]))
    assert b"B is much better" in page.content
    empty = signed_in(other.user).get(reverse("judging:me", args=[cast.event.slug]))
    assert b"B is much better" not in empty.content


def test_whoever_is_excluded_reads_it_above_what_they_judged() -> None:
    cast = Cast()
    cast.judge("b2")
    address = reverse("judging:me", args=[cast.event.slug])
    assert b"Your judgments do not count" not in cast.client.get(address).content
    exclusion = exclude(
        Enrollment.objects.get(judgments__isnull=False),
        Exclusion.Reason.UNRELIABLE,
        Ruling(None, timezone.now()),
    )
    page = cast.client.get(address).content
    assert b"Your judgments do not count at present." in page
    assert b"<h3>Not reliable enough</h3>" in page
    lift_exclusion(exclusion, Ruling(None, timezone.now(), "A mistake."))
    assert b"Your judgments do not count" not in cast.client.get(address).content


@pytest.mark.parametrize("name", ["judge", "skip", "flag", "undo"])
def test_somebody_elses_assignment_is_not_there(name: str) -> None:
    cast = Cast()
    url = reverse(f"judging:{name}", args=[cast.assignment().uuid])
    outsider = signed_in(make_enrollment(cast.event).user)
    method = outsider.get if name == "undo" else outsider.post
    assert method(url, {"preference": "a1", "reason": "other"}).status_code == 404
    anonymous = Client().get(url) if name in ("judge", "undo") else Client().post(url)
    assert anonymous.status_code == 302
    assert anonymous.headers["Location"].startswith(reverse("account_login"))


def test_whoever_has_not_joined_is_led_to_joining() -> None:
    cast = Cast()
    for client in (signed_in(make_user()), Client()):
        response = client.get(cast.next_url)
        assert response.headers["Location"] == reverse("events:join", args=[cast.event.slug])


def test_no_unsafe_door_opens_without_a_csrf_token() -> None:
    cast = Cast()
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.enrollment.user)
    for name in ("judge", "skip", "flag"):
        url = reverse(f"judging:{name}", args=[cast.assignment().uuid])
        assert client.post(url, {"preference": "a1", "reason": "other"}).status_code == 403


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_control_is_served_exactly_like_an_ordinary_matchup(headers: dict[str, str]) -> None:
    seen = see_turns(Cast(matchups=90, controls=12), headers)
    assert len(seen[Matchup.Role.ORDINARY]) == 1
    assert seen[Matchup.Role.CONTROL] == seen[Matchup.Role.ORDINARY]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_anchor_is_served_exactly_like_both(headers: dict[str, str]) -> None:
    seen = see_turns(Cast(matchups=90, controls=8, anchors=16), headers)
    assert len(seen[Matchup.Role.ORDINARY]) == 1
    assert seen[Matchup.Role.CONTROL] == seen[Matchup.Role.ORDINARY] == seen[Matchup.Role.ANCHOR]


def see_turns(cast: Cast, headers: dict[str, str]) -> dict[str, set[object]]:
    """How 44 turns look from outside, and what they ask the database, by role."""
    seen: dict[str, set[object]] = {role: set() for role in Matchup.Role.values}
    cast.judge()
    for _ in range(44):
        if not cast.has_reserve():  # a chunk is built, for controls and others together
            cast.judge()
            continue
        # The reply to a judgment that brings the next matchup, statement by statement.
        with CaptureQueriesContext(connection) as queries:
            reply = cast.judge(**headers)
        assignment = cast.assignment()
        page = reply if headers else cast.client.get(reply.headers["Location"])
        statements = [re.sub(r"\d+|'[^']*'", "?", query["sql"])[:40] for query in queries]
        looks = skeleton(page.content.decode(), assignment)
        names = tuple(sorted(page.headers))
        seen[assignment.matchup.role].add((looks, names, tuple(statements), page.status_code))
    return seen


def test_a_judgment_and_the_next_matchup_take_few_statements() -> None:
    cast = Cast(matchups=90, controls=12)
    cast.judge()
    counts = {Matchup.Role.ORDINARY: set(), Matchup.Role.CONTROL: set()}
    for _ in range(24):
        shown, has_reserve = cast.assignment(), cast.has_reserve()
        with CaptureQueriesContext(connection) as queries:
            assert cast.judge(assignment=shown, **HTMX).status_code == 200
        edges = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
        sent = [query["sql"] for query in queries if not query["sql"].startswith(edges)]
        if has_reserve:  # else a chunk was built as well
            counts[shown.matchup.role].add(len(sent))
    usual = {"postgresql": 6, "sqlite": 8}[connection.vendor]
    assert counts == {Matchup.Role.ORDINARY: {usual}, Matchup.Role.CONTROL: {usual}}


def test_no_answer_to_a_contributor_names_a_competitor_or_a_key() -> None:
    cast = Cast(matchups=10, controls=4)
    secrets = [model.name for model in cast.models]
    secrets += [cast.event.secret, "control", "anchor", "ordinary", "It is so."]
    answers = [cast.client.get(cast.next_url, follow=True)]
    for number in range(9):
        first = cast.assignment()
        answers.append(cast.judge(**HTMX))
        answers.append(cast.client.get(reverse("judging:undo", args=[first.uuid])))
        if number == 5:
            url = reverse("judging:flag", args=[cast.assignment().uuid])
            answers.append(cast.client.post(url, {"reason": "other"}, follow=True))
    answers.append(cast.client.get(reverse("judging:me", args=[cast.event.slug])))
    answers.append(cast.client.get(reverse("events:guidelines", args=[cast.event.slug])))
    for response in answers:
        assert response.status_code == 200
        told = response.content.decode() + str(response.headers)
        for harmless in ("aria-controls", "Cache-Control", "hidden controls, honest"):
            told = told.replace(harmless, "")
        for secret in secrets:
            assert secret not in told, secret


@pytest.mark.django_db(transaction=True)
def test_fifty_identical_posts_get_fifty_identical_answers() -> None:
    cast = Cast(matchups=10)
    url = reverse("judging:judge", args=[cast.assignment().uuid])

    def work(_: int) -> tuple[int, bytes]:
        try:
            client = signed_in(cast.enrollment.user)
            reply = client.post(url, {"preference": "b1", "comment": "once"}, **HTMX)
            return reply.status_code, reply.content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        replies = set(pool.map(work, range(50)))
    assert len(replies) == 1
    assert next(iter(replies))[0] == 200
    assert Judgment.objects.count() == 1
    assert Assignment.objects.exclude(state="reserved").count() == 2


def test_serving_costs_the_same_however_much_was_judged() -> None:
    cast = Cast(matchups=60)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            cast.judge(**HTMX)
        return len(queries)

    cast.judge()
    few = cost()
    for _ in range(30):
        cast.judge()
    assert cost() == few


def test_two_people_may_judge_the_same_pair_with_other_sides() -> None:
    cast = Cast(matchups=1)
    mine = cast.assignment()
    theirs = next_assignment(make_enrollment(cast.event), Random(3), timezone.now())
    assert theirs is not None
    assert theirs.matchup == mine.matchup
    assert theirs.uuid != mine.uuid
