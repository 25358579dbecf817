"""The records browser: words, flags and agreement find records; a record shows its judgments."""

import pytest
from django.test import Client
from django.utils import timezone

from arena.events.models import Event, Record
from arena.judging.skipping import flag_assignment
from tests.desk.cast import url
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
    make_record,
)

pytestmark = pytest.mark.django_db


def found(desk: Client, event: Event, **query: str) -> list[str]:
    page = desk.get(url("records", event), query)
    return [record.external_id for record in page.context["page"]]


def test_words_are_found_as_they_read(desk: Client, event: Event) -> None:
    prompt = [
        {"role": "user", "content": 'Say "un café" to the\nwaiter.'},
        {"role": "assistant", "content": "Un café?"},
        {"role": "user", "content": "Louder, with a \\ in it."},
    ]
    record = make_record(event)
    Record.objects.filter(pk=record.pk).update(prompt=prompt, rendered_with=0)
    make_matchup(event, record=record, texts=("A croissant, 100%.", "Nothing."))
    for query in ("café", '"un café"', "waiter", "a \\ in", "croissant, 100%", record.external_id):
        assert found(desk, event, q=query) == [record.external_id], query
    # Neither the keys of the prompt nor its escapes are words of it.
    for query in ("content", "u00e9", "role", "% to"):
        assert found(desk, event, q=query) == []


def test_records_are_narrowed_to_what_needs_a_look(desk: Client, event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(overlap=9)
    event.matchups.update(open_slots=9)
    event.refresh_from_db()
    flagged = make_assignment(make_enrollment(event))
    flag_assignment(flagged, "broken", "", now=NOW)
    assert found(desk, event, show="flagged") == [flagged.matchup.record.external_id]
    held = make_assignment(make_enrollment(event), now=timezone.now())
    assert found(desk, event, show="judging") == [held.matchup.record.external_id]
    assert len(found(desk, event, show="")) == 6


def test_the_least_agreed_on_come_first(desk: Client) -> None:
    organizer = desk.session["_auth_user_id"]
    event = make_event(overlap=9)
    event.memberships.create(user_id=organizer, role="organizer")
    models = make_competitors(event, 2)
    expected = []
    for number, answers in enumerate(("a1 b1 tie b2", "a1 a2 a1 b1", "a1 a1 a1 a1", "a1")):
        event.matchups.update(open_slots=0)
        matchup = make_matchup(event, models, record=make_record(event))
        for posted in answers.split():
            judgment = make_judgment(make_enrollment(event), "a1")
            sign = {"a": 1, "t": 0, "b": -1}[posted[0]]
            judgment.answers.update(outcome=sign)
        if number < 3:
            expected.append(matchup.record.external_id)
    page = desk.get(url("records", event), {"show": "disputed"})
    shown = [(record.external_id, record.agreement) for record in page.context["page"]]
    assert shown == list(zip(expected, [50, 75, 100], strict=True))


def test_a_record_shows_who_said_what_and_whether_it_counts(desk: Client, event: Event) -> None:
    enrollment = make_enrollment(event)
    judgment = make_judgment(enrollment)
    judgment.answers.update(outcome=-2)
    record = judgment.matchup.record
    second = judgment.matchup.places.get(position=1).response
    (said,) = desk.get(url("record", event, record.external_id)).context["judgments"]
    assert (said.pseudonym, said.uncounted) == (enrollment.pseudonym, "")
    assert said.answer == f"{second.competitor}: {second.text} – much better"
    address = url("contributor", event, enrollment.public_id)
    desk.post(address, {"act": "exclude", "reason": "unreliable", "note": "So."})
    page = desk.get(url("record", event, record.external_id))
    assert page.context["judgments"][0].uncounted == "Not reliable enough"
    judgment.answers.update(outcome=0, both_bad=True)
    page = desk.get(url("record", event, record.external_id))
    assert page.context["judgments"][0].answer == "Both are bad"
