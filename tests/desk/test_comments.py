"""Comments on the desk: read, found, and beside the pair they are about."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from arena.desk.views.comments import PER_PAGE
from arena.events.decision_record import Ruling
from arena.events.models import Event
from arena.judging.review.exclusions import exclude
from arena.people.models import User
from tests.desk.cast import signed_in, url
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
    make_membership,
    make_user,
)

pytestmark = pytest.mark.django_db


def page(desk: Client, event: Event, query: str = "") -> str:
    return desk.get(url("comments", event) + query).content.decode()


def test_a_comment_is_shown_with_its_pair_its_answer_and_its_record(
    desk: Client, event: Event
) -> None:
    judgment = make_judgment(make_enrollment(event), "a2", comment="A is clearer")
    shown = page(desk, event)
    assert "A is clearer" in shown
    assert judgment.enrollment.pseudonym in shown
    record = judgment.matchup.record
    assert url("record", event, record.external_id) in shown
    assert record.prompt[-1]["content"] in shown
    places = list(judgment.matchup.places.order_by("position"))
    assert judgment.assignment is not None
    left, right = (places[position].response for position in judgment.assignment.order)
    assert shown.index(left.text) < shown.index(right.text)
    assert left.competitor is not None
    assert f"{left.competitor.name} – much better" in shown


def test_judgments_without_a_comment_are_not_listed(desk: Client, event: Event) -> None:
    make_judgment(make_enrollment(event))
    assert "No comments yet." in page(desk, event)


def test_comments_are_found_by_their_words(desk: Client, event: Event) -> None:
    make_judgment(make_enrollment(event), comment="The second one is “shorter”, 50 % of it")
    make_judgment(make_enrollment(event), comment="Überraschend gut")
    assert "berraschend" not in page(desk, event, "?q=SHORTER")
    assert "50 % of it" in page(desk, event, "?q=SHORTER")
    assert "berraschend" in page(desk, event, "?q=berraschend")
    assert "50 % of it" in page(desk, event, "?q=50+%25")
    assert "No matching comments." in page(desk, event, "?q=nothing+like+it")


def test_comments_are_narrowed_to_a_model_and_a_record(desk: Client, event: Event) -> None:
    pair = make_competitors(event, 2)
    other = make_matchup(event, pair)
    event.matchups.exclude(pk=other.pk).update(retired_at=NOW)
    mine = make_judgment(make_enrollment(event), comment="about the other")
    event.matchups.update(retired_at=None)
    event.matchups.filter(pk=other.pk).update(retired_at=NOW)
    make_judgment(make_enrollment(event), comment="about the first")
    assert mine.matchup == other
    shown = page(desk, event, f"?model={pair[0].name}")
    assert "about the other" in shown
    assert "about the first" not in shown
    assert f'value="{pair[0].name}" selected' in " ".join(shown.split())
    shown = page(desk, event, f"?record={other.record.external_id}")
    assert "about the other" in shown
    assert "about the first" not in shown
    assert "No matching comments." in page(desk, event, "?record=none")
    assert "No matching comments." in page(desk, event, "?model=none")


def test_a_comment_is_text_and_says_where_it_does_not_count(
    desk: Client, event: Event, organizer: User
) -> None:
    judgment = make_judgment(make_enrollment(event), comment="<script>pwned=1</script>\nline two")
    exclude(judgment.enrollment, "unreliable", Ruling(organizer, NOW, "So decided."))
    shown = page(desk, event)
    assert "<script>pwned" not in shown
    assert "&lt;script&gt;pwned=1&lt;/script&gt;<br>line two" in shown
    assert "Does not count: Not reliable enough" in " ".join(shown.split())


def test_many_comments_have_pages_that_keep_the_search_and_cost_the_same(
    desk: Client, event: Event
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(desk, event)
        return len(queries)

    make_judgment(make_enrollment(event), comment="one of many")
    few = cost()
    for _ in range(PER_PAGE + 1):
        make_matchup(event, make_competitors(event, 2))
        make_judgment(make_enrollment(event), comment="one of many")
    assert cost() <= few + 1
    shown = page(desk, event, "?q=many")
    assert "?q=many&amp;page=2" in shown
    assert page(desk, event, "?q=many&page=2").count('class="queue-item"') == 2


def test_comments_are_for_the_events_people(event: Event) -> None:
    make_judgment(make_enrollment(event), comment="between us")
    reviewer, contributor = make_user(), make_enrollment(event).user
    make_membership(event, reviewer)
    assert "between us" in page(signed_in(reviewer), event)
    stranger = make_event(organizer=(owner := make_user()))
    assert "between us" not in page(signed_in(owner), stranger)
    for user in (contributor, owner):
        assert signed_in(user).get(url("comments", event)).status_code == 404
