"""Changing one's mind, in one tab or in two: what stands is said, and nothing changes by itself."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from arena.events.models import Event, Matchup
from arena.judging.models import Assignment, Flag, Judgment
from tests.judging.cast import HTMX, Cast, skeleton

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])


def door(name: str, assignment: Assignment) -> str:
    return reverse(f"judging:{name}", args=[assignment.uuid])


def pass_on(cast: Cast, act: str = "skip", **headers):
    assignment = cast.assignment()
    reply = cast.client.post(door(act, assignment), {"reason": "other"}, **headers)
    return assignment, reply


def read(cast: Cast, reply) -> str:
    """What the person ends up reading, wherever the reply leads."""
    while place := reply.headers.get("Location") or reply.headers.get("HX-Redirect"):
        reply = cast.client.get(place)
    return reply.content.decode()


# --- a skip or a flag, undone -----------------------------------------------------------------
@BOTH
@pytest.mark.parametrize("act", ["skip", "flag"])
def test_a_skip_is_undone_by_the_same_link_as_an_answer(act: str, headers: dict[str, str]) -> None:
    cast = Cast()
    skipped, reply = pass_on(cast, act, **headers)
    shown = cast.assignment()
    page = read(cast, reply)
    assert f'href="{door("undo", skipped)}"' in page
    assert "data-undo-until" in page
    page = cast.client.get(door("undo", skipped), **headers).content.decode()
    for place in skipped.matchup.places.all():
        assert place.response.text in page
    sides = [place.response.text for place in skipped.matchup.places.order_by("position")]
    left, right = (sides[position] for position in skipped.order)
    assert page.index(left) < page.index(right)
    assert 'name="replaces" value="skip"' in page
    assert ("Keep it skipped" if act == "skip" else "Keep it flagged") in page
    cast.judge("b1", assignment=skipped, replaces="skip", **headers)
    assert Judgment.objects.get().assignment == skipped
    assert cast.assignment() == shown
    assert Flag.objects.waiting().count() == 0


def test_looking_back_at_a_skip_changes_nothing() -> None:
    cast = Cast()
    skipped, _reply = pass_on(cast)
    shown = cast.assignment()
    cast.client.get(door("undo", skipped))
    skipped.refresh_from_db()
    assert skipped.state == Assignment.State.SKIPPED
    page = cast.client.get(cast.next_url, follow=True)
    assert page.request["PATH_INFO"] == door("judge", shown)


@pytest.mark.parametrize("act", ["skip", "answer"])
def test_the_last_pair_of_all_can_be_brought_back(act: str) -> None:
    cast = Cast(matchups=1)
    last = cast.assignment()
    reply = pass_on(cast)[1] if act == "skip" else cast.judge()
    page = read(cast, reply)
    words = "Nothing is left to judge" if act == "skip" else "You have judged everything"
    assert words in page
    assert f'href="{door("undo", last)}"' in page
    assert ("the pair you skipped" if act == "skip" else "Change the last answer") in page
    Event.objects.update(undo_seconds=0)
    Assignment.objects.update(lease_until=timezone.now())
    assert door("undo", last) not in read(cast, cast.client.get(cast.next_url))


def test_a_skip_that_can_no_longer_be_undone_says_so() -> None:
    cast = Cast()
    skipped, _reply = pass_on(cast)
    Assignment.objects.filter(pk=skipped.pk).update(lease_until=timezone.now())
    page = read(cast, cast.client.get(door("undo", skipped)))
    assert "This pair can no longer be brought back." in page


@pytest.mark.parametrize(("act", "headers"), [("skip", HTMX), ("flag", {})], ids=["skip", "flag"])
@pytest.mark.any_database
def test_undoing_looks_the_same_for_a_control(act: str, headers: dict[str, str]) -> None:
    """Every page and every reply on the way, statement by statement; each act asked for in one of
    the two ways, which differ in how they lead on."""
    cast = Cast(matchups=60, controls=8)
    seen: dict[str, set[object]] = {Matchup.Role.ORDINARY: set(), Matchup.Role.CONTROL: set()}
    cast.judge()
    for _ in range(24):
        looks: list[object] = []
        assignment = cast.assignment()
        if not cast.has_reserve():  # a chunk is built, for controls and others together
            cast.judge()
            continue
        acts = (
            ("post", door(act, assignment), {"reason": "other"}),
            ("get", door("undo", assignment), {}),
            ("post", door("judge", assignment), {"preference": "a1"}),
            ("post", door("judge", assignment), {"preference": "a1", "replaces": "skip"}),
        )
        for method, url, form in acts:
            with CaptureQueriesContext(connection) as queries:
                reply = getattr(cast.client, method)(url, form, **headers)
            sent = [re.sub(r"\d+|'[^']*'", "?", query["sql"])[:40] for query in queries]
            shown = assignment if reply.status_code == 409 or method == "get" else cast.assignment()
            page = cast.client.get(reply.headers["Location"]) if reply.status_code == 302 else reply
            looks += [
                skeleton(page.content.decode(), shown),
                tuple(sorted(page.headers)),
                tuple(sent),
                reply.status_code,
            ]
        seen[assignment.matchup.role].add(tuple(looks))
    assert len(seen[Matchup.Role.ORDINARY]) == 1
    assert seen[Matchup.Role.CONTROL] == seen[Matchup.Role.ORDINARY]


# --- a second tab -----------------------------------------------------------------------------
@BOTH
def test_a_different_answer_from_a_second_tab_says_what_stands(headers: dict[str, str]) -> None:
    cast = Cast()
    first = cast.assignment()
    cast.judge("a2")
    reply = cast.judge("b1", assignment=first, **headers)
    page = reply.content.decode()
    assert reply.status_code == 409
    assert "You have already answered this pair: “A is much better”." in page
    assert re.search(r'value="b1"\s+data-key="\d"\s+checked', page)
    assert 'name="replaces" value="0"' in page
    assert "Keep it as it was" in page
    assert Judgment.objects.get().revision == 0
    # The page that came back is the offer: submitting it changes the answer.
    cast.judge("b1", assignment=first, replaces="0", **headers)
    assert Judgment.objects.standing().get().revision == 1


def test_a_third_tab_does_not_change_what_the_second_has_changed() -> None:
    cast = Cast()
    first = cast.assignment()
    cast.judge("a2")
    cast.judge("b1", assignment=first, replaces="0")
    reply = cast.judge("tie", assignment=first, replaces="0")
    assert reply.status_code == 409
    assert "“B is better”." in reply.content.decode()
    assert 'name="replaces" value="1"' in reply.content.decode()
    assert Judgment.objects.standing().get().revision == 1


def test_the_same_answer_from_a_second_tab_goes_on_without_a_word() -> None:
    cast = Cast()
    first = cast.assignment()
    cast.judge("a2")
    page = read(cast, cast.judge("a2", assignment=first))
    assert "already" not in page
    assert Judgment.objects.count() == 1


@BOTH
def test_an_answer_to_a_pair_skipped_in_another_tab_is_kept_on_the_screen(
    headers: dict[str, str],
) -> None:
    cast = Cast()
    skipped, _reply = pass_on(cast)
    url = door("judge", skipped)
    form = {"preference": "b1", "comment": "typed with care"}
    reply = cast.client.post(url, form, **headers)
    page = reply.content.decode()
    assert reply.status_code == 409
    assert "It stays skipped unless you submit this answer." in page
    assert "typed with care" in page
    assert not Judgment.objects.exists()
    cast.client.post(url, form | {"replaces": "skip"}, **headers)
    assert (
        Judgment.objects.get().answers.get(question__kind="text").value["text"] == form["comment"]
    )


def test_an_answer_long_after_a_skip_says_that_it_is_too_late() -> None:
    cast = Cast()
    skipped, _reply = pass_on(cast)
    Assignment.objects.filter(pk=skipped.pk).update(lease_until=timezone.now())
    page = read(cast, cast.judge(assignment=skipped))
    assert "It is too late to answer it now." in page
    assert "Response <b>A</b>" in page


def test_a_skip_from_a_tab_whose_pair_was_answered_says_what_stands() -> None:
    cast = Cast()
    first = cast.assignment()
    cast.judge("b2")
    page = read(cast, cast.client.post(door("skip", first), {"reason": "length"}))
    assert "You have already answered this pair: “B is much better”." in page
    assert Judgment.objects.standing().count() == 1


def test_an_answer_after_the_time_of_its_pair_says_that_it_is_saved() -> None:
    cast = Cast()
    first = cast.assignment()
    past = timezone.now() - timedelta(minutes=1)
    Assignment.objects.update(lease_until=past)
    cast.client.get(cast.next_url)
    first.refresh_from_db()
    assert first.state == Assignment.State.EXPIRED
    page = read(cast, cast.judge(assignment=first))
    assert "Time had run out for that pair, but your answer is saved." in page
    assert Judgment.objects.get().assignment == first


def test_an_answer_to_a_pair_served_twice_and_answered_says_what_stands() -> None:
    cast = Cast(matchups=1)
    first = cast.assignment()
    Assignment.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    cast.client.get(cast.next_url)
    cast.judge("b2", assignment=cast.assignment())
    page = read(cast, cast.judge("a1", assignment=first))
    assert "You have already answered this pair: “B is much better”." in page
    assert Judgment.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("closed", "came too late to count"),
        ("published", "The result of this event is published, so your answer was not saved."),
    ],
)
def test_an_answer_to_an_event_that_closed_meanwhile_says_what_became_of_it(
    state: str, words: str
) -> None:
    cast = Cast()
    shown = cast.assignment()
    Event.objects.update(state=state)
    page = read(cast, cast.judge(assignment=shown))
    assert words in page
    assert reverse("leaderboard:board", args=[cast.event.slug]) in page


def test_a_change_to_an_event_that_closed_meanwhile_says_what_stands() -> None:
    cast = Cast()
    first = cast.assignment()
    cast.judge("b2")
    Event.objects.update(state="closed")
    page = read(cast, cast.judge("a1", assignment=first, replaces="0"))
    assert "“B is much better”. It is too late to change it." in page
