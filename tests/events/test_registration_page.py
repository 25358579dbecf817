"""The page of a registration: rules in words, later changes as a diff, and nothing that is kept."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from arena.events.decision_record import Ruling, name_staff
from arena.events.ledger import digest_of
from arena.events.lifecycle.event_settings import recorded_settings
from arena.events.lifecycle.transitions import open_event
from arena.events.models import Act, Control, Decision, Event, Membership
from arena.events.records.controls import ExpectedAnswer, change_key, withdraw_key
from arena.judging.models import Exclusion
from arena.judging.review.exclusions import exclude
from arena.people.models import User
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchups,
    make_membership,
    make_user,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
RULES = "# Be fair\n\nRead both.\n\nTake your time.\n\nChoose the better one."
State = Event.State


@pytest.fixture
def olga() -> User:
    return make_user("olga")


@pytest.fixture
def event(olga: User) -> Event:
    """An open event of one organizer, with two controls."""
    event = make_event(
        "fair",
        organizer=olga,
        state=State.DRAFT,
        closes_at=NOW + 48 * HOUR,
        publish_batch=20,
        timezone="Europe/Berlin",
        email_domains="acme.example",
    )
    event.guidelines.update(text=RULES)
    make_matchups(event, make_competitors(event, 2), 4)
    for _ in range(2):
        make_control(event)
    open_event(event, NOW)
    return event


def read(event: Event, user: User | None = None) -> str:
    """The page as words, as this user sees it."""
    client = Client()
    if user is not None:
        client.force_login(user)
    reply = client.get(f"/events/{event.slug}/registration/")
    assert reply.status_code == 200
    return " ".join(reply.content.decode().split())


def ruling(olga: User, note: str = "It was asked for.") -> Ruling:
    return Ruling(olga, NOW + HOUR, note)


def test_everybody_reads_the_rules_in_words(event: Event) -> None:
    page = read(event)
    assert event.registration.digest in page
    assert "1 Nov 2026, 13:00:00" in page  # in Berlin
    assert "Take your time.</p>" in page
    assert "5: much better, better, tie" in page
    assert "A tie in a vote is half a win" in page
    assert "daily cap: 400" in page
    assert "3 Nov 2026, 13:00 (Europe/Berlin)" in page
    assert "At the opening 2 controls had a key." in page
    assert "One person looks after this event" in page
    assert "No setting was changed since." in page
    assert "acme.example" not in page
    assert "{&quot;" not in page


def test_the_file_is_what_was_registered_to_the_letter(event: Event) -> None:
    reply = Client().get("/events/fair/registration.json")
    assert reply["Content-Type"] == "application/json"
    assert digest_of(reply.content.decode()) == event.registration.digest


def test_the_event_page_leads_to_it(event: Event) -> None:
    page = Client().get("/events/fair/").content.decode()
    assert "/events/fair/registration/" in page
    assert event.registration.digest in page
    assert "/registration/" not in Client().get(f"/events/{make_event().slug}/").content.decode()


def test_later_changes_are_a_diff_with_time_author_and_reason(event: Event, olga: User) -> None:
    with recorded_settings(event, ruling(olga)):
        Event.objects.update(overlap=5, email_domains="umbrella.example")
        text = RULES.replace("Take your time.", "Do not hurry.")
        event.guidelines.create(version=2, text=text)
    page = read(event)
    assert name_staff(event, olga) in page
    assert "It was asked for." in page
    assert "1 Nov 2026, 14:00" in page
    assert "<del>3</del> → <ins>5</ins>" in page
    assert "<del>Take your time.</del>" in page
    assert "<ins>Do not hurry.</ins>" in page
    assert "<p>Read both.</p>" in page
    assert "<del>Read both.</del>" not in page
    assert "umbrella.example" not in page
    assert "They are not registered and not shown." in page
    assert "olga" not in page


def test_a_change_of_questions_names_them(event: Event, olga: User) -> None:
    with recorded_settings(event, ruling(olga)):
        event.questions.filter(name="comment").delete()
    assert "(text, optional)</del>" in read(event)


def test_changed_keys_are_counted_and_not_told(event: Event, olga: User) -> None:
    first, second = Control.objects.order_by("pk").select_related("matchup__record")
    change_key(first, ExpectedAnswer("b", "It is wrong."), ruling(olga, "Wrong one."))
    withdraw_key(second, "Wrong.", ruling(olga, "Wrong one."))
    page = read(event)
    assert "1 Nov 2026 · Key changed: 1" in page
    assert "1 Nov 2026 · Key withdrawn: 1" in page
    for control in (first, second):
        assert control.matchup.record.external_id + ": " not in page
    assert "Wrong one." not in page
    assert "the second response" not in page
    assert event.registration.keys_key not in page


def test_once_keys_are_public_they_are_told(event: Event, olga: User) -> None:
    first = Control.objects.order_by("pk").select_related("matchup__record").first()
    change_key(first, ExpectedAnswer("b", "It is wrong."), ruling(olga))
    Event.objects.update(state=State.PUBLISHED)
    page = read(event)
    assert f"{first.matchup.record.external_id}: {first.matchup.key}" in page
    assert "<td>the first response</td> <td>the second response</td>" in page


def decide_alone(event: Event, olga: User) -> list[str]:
    """After the close: a key, and an exclusion from the top; what is not to be read."""
    Event.objects.update(state=State.CLOSED)
    event.refresh_from_db()
    control = Control.objects.order_by("pk").select_related("matchup__record").first()
    change_key(control, ExpectedAnswer("b", "It is wrong."), ruling(olga, "Wrong one."))
    person = make_enrollment(event)
    exclude(person, Exclusion.Reason.RIGGING, ruling(olga, "He lifts one."), is_grave=True)
    return [person.pseudonym, "He lifts one.", "Wrong one.", control.matchup.record.external_id]


def test_what_one_person_decides_alone_is_public_at_once(event: Event, olga: User) -> None:
    assert "Decided by one person" not in read(event)
    kept = decide_alone(event, olga)
    assert Decision.objects.filter(is_alone=True).count() == 2
    page = read(event)
    assert "Decided by one person:" in page
    assert "· Key changed" in page
    assert "· Excluded · Suspected manipulation" in page
    assert [words for words in kept if f"{words}<" in page or f"{words} " in page] == []


def test_several_people_are_said_to_decide_together(olga: User) -> None:
    event = make_event("pair", organizer=olga, state=State.DRAFT)
    make_membership(event, make_user(), Membership.Role.REVIEWER)
    make_matchups(event, make_competitors(event, 2), 2)
    open_event(event, NOW)
    assert "2 people look after this event." in read(event)


def test_an_event_from_before_says_so(olga: User) -> None:
    event = make_event("old", organizer=olga)
    assert "it was opened before there was registration." in read(event)
    assert Client().get("/events/old/registration.json").status_code == 404
    # One person decides alone there, too, and the public is told.
    decisions = {"act": Act.KEY_CHANGED, "made_at": NOW, "by": "Staff 1", "is_alone": True}
    Decision.objects.create(event=event, **decisions)
    assert "· Key changed" in read(event)


def test_a_draft_shows_its_staff_what_would_be_registered(olga: User) -> None:
    event = make_event("draft", organizer=olga, state=State.DRAFT)
    page = read(event, olga)
    assert "Nothing is registered yet." in page
    assert "5: much better, better, tie" in page
    for outsider in (None, make_user()):
        client = Client()
        if outsider:
            client.force_login(outsider)
        for name in ("registration/", "registration.json"):
            assert client.get(f"/events/draft/{name}").status_code == 404


def test_of_a_private_event_outsiders_see_nothing(
    event: Event, olga: User, django_assert_max_num_queries: Callable
) -> None:
    Event.objects.update(is_private=True)
    for name in ("registration/", "registration.json"):
        assert Client().get(f"/events/fair/{name}").status_code == 404
    client = Client()
    client.force_login(olga)
    for _ in range(3):
        with recorded_settings(event, ruling(olga)):
            Event.objects.update(overlap=Event.objects.get().overlap + 1)
    with django_assert_max_num_queries(20):
        assert client.get("/events/fair/registration/").status_code == 200
