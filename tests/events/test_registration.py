"""What an event registers at its opening."""

import hashlib
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from arena.errors import ConflictError
from arena.events.ledger import digest_of
from arena.events.lifecycle import transitions
from arena.events.lifecycle.decisions import works_alone
from arena.events.lifecycle.event_settings import (
    describe_settings,
)
from arena.events.lifecycle.registration.words import LABELS, flatten_terms
from arena.events.lifecycle.registration.writing import UNREGISTERED
from arena.events.lifecycle.transitions import open_event
from arena.events.models import (
    Event,
    LedgerEntry,
    Membership,
    Registration,
)
from arena.judging.ledger import seal_event, verify_ledger
from arena.people.models import User
from tests.events.registered import (
    HOUR,
    make_draft,
    verify,
)
from tests.factories import (
    NOW,
    make_competitors,
    make_event,
    make_matchups,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> User:
    return make_user("olga")


@pytest.fixture
def draft(olga: User) -> Event:
    return make_draft(olga)


@pytest.fixture
def event(draft: Event) -> Event:
    """The same, opened."""
    open_event(draft, NOW)
    return draft


def content(event: Event) -> dict[str, Any]:
    return event.registration.read_content()


def test_opening_registers_every_rule(event: Event) -> None:
    said = content(event)
    registered = {**said["settings"], "email_domains": ""}
    assert registered == json.loads(json.dumps(describe_settings(event)))
    assert said["settings"]["opens_at"] == NOW.isoformat()
    assert said["settings"]["guidelines"] == "# Be fair"
    assert said["controls"]["count"] == 3
    assert said["staff"] == {"people": 2}
    parts = {"votes", "rating", "weights", "ties", "exclusions", "score"}
    assert said["method"].keys() == parts | {"version"}
    assert all(said["method"][part]["rule"] for part in parts)
    assert said["method"]["score"]["numbers"]["daily cap"] == event.daily_cap
    digest = hashlib.sha256(event.registration.content.encode()).hexdigest()
    assert event.registration.digest == digest
    assert verify() == "true"


def test_the_automatic_rule_is_registered_where_the_event_has_one(draft: Event) -> None:
    Event.objects.update(excludes_automatically=True)
    open_event(Event.objects.get(), NOW)
    numbers = content(draft)["method"]["exclusions"]["numbers"]
    assert numbers["share"] == 0.05


def test_the_command_prints_it_to_the_letter(event: Event) -> None:
    out = io.StringIO()
    call_command("registration", "fair", stdout=out)
    assert digest_of(out.getvalue()) == event.registration.digest


def test_no_key_is_told_and_no_two_events_have_the_same_digest_of_equal_keys(event: Event) -> None:
    said = event.registration.content
    assert "sign" not in said
    assert event.registration.keys_key not in said
    again = make_event("again", state=Event.State.DRAFT, closes_at=NOW + HOUR)
    make_matchups(again, make_competitors(again, 2), 2)
    third = make_event("third", state=Event.State.DRAFT, closes_at=NOW + HOUR)
    make_matchups(third, make_competitors(third, 2), 2)
    for other in (again, third):
        open_event(other, NOW)
        assert content(other)["controls"]["count"] == 0
    assert content(again)["controls"]["digest"] != content(third)["controls"]["digest"]


def test_it_is_the_first_word_of_the_ledger(event: Event) -> None:
    entry = LedgerEntry.objects.get(event=event, kind="registration")
    assert entry.content["sha256"] == event.registration.digest
    assert seal_event(event.pk, NOW) == 0
    assert LedgerEntry.objects.sealed().filter(event=event).first().kind == "registration"
    assert verify_ledger(event.pk) is None
    Registration.objects.update(content=event.registration.content.replace("fair", "foul"))
    assert "The registration of event" in str(verify_ledger(event.pk))


def test_opening_and_registering_come_together(
    draft: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: Any) -> None:
        raise ConflictError("Not now.", "busy")

    monkeypatch.setattr(transitions, "register", fail)
    with pytest.raises(ConflictError):
        open_event(draft, NOW)
    assert Event.objects.get().state == Event.State.DRAFT
    monkeypatch.undo()
    open_event(draft, NOW)
    with pytest.raises(ConflictError):
        open_event(draft, NOW)
    assert Registration.objects.count() == 1


def test_an_event_with_one_person_says_so(draft: Event) -> None:
    Membership.objects.filter(user__username="otto").delete()
    open_event(draft, NOW)
    assert content(draft)["staff"]["people"] == 1
    assert "decides alone" in content(draft)["staff"]["note"]
    assert works_alone(draft)


def test_whoever_removes_the_others_is_not_alone(event: Event) -> None:
    Membership.objects.filter(user__username="otto").delete()
    assert not works_alone(event)


def test_who_may_come_in_is_not_registered(draft: Event) -> None:
    Event.objects.update(is_private=True, email_domains="acme.example")
    open_event(Event.objects.get(), NOW)
    assert "acme.example" not in draft.registration.content
    assert content(draft)["settings"]["is_private"] is True


def test_every_setting_has_a_word(event: Event) -> None:
    settings = flatten_terms(describe_settings(event))
    assert {name for name in settings if name not in LABELS} == UNREGISTERED


@pytest.mark.parametrize(
    ("slug", "why"),
    [
        ("nowhere", "There is no event nowhere."),
        ("fair", "fair has registered nothing: it has not opened yet."),
        ("old", "old has registered nothing: it was opened before there was registration."),
    ],
)
def test_the_command_says_why_there_is_nothing(draft: Event, slug: str, why: str) -> None:
    make_event("old")
    with pytest.raises(CommandError) as caught:
        call_command("registration", slug)
    assert str(caught.value) == why
