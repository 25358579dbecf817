"""No change of what an event has registered that is made without a record goes unseen."""

import json
from typing import Any

import pytest
from django.db.models import BooleanField, DateTimeField, Field, IntegerField

from arena.events.ledger import digest_of
from arena.events.lifecycle.event_settings import (
    NOT_SETTINGS,
    NOT_TERMS,
    QUESTION_FIELDS,
)
from arena.events.lifecycle.registration.writing import UNREGISTERED
from arena.events.models import (
    Act,
    Control,
    Decision,
    Event,
    Question,
    Registration,
    Terms,
)
from arena.judging.ledger import seal_event, verify_ledger
from arena.people.models import User
from tests.append_only import allow_deletion
from tests.events.registered import HOUR, make_registered, save, turn_key, verify
from tests.factories import (
    NOW,
    make_control,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> User:
    return make_user("olga")


@pytest.fixture
def event(olga: User) -> Event:
    return make_registered(olga)


def content(event: Event) -> dict[str, Any]:
    return event.registration.read_content()


def other_value(field: Field, value: Any) -> Any:
    """Another value that the column takes."""
    if field.choices and not isinstance(field, BooleanField):
        return next(each for each, _label in field.choices if each != value)
    if isinstance(field, BooleanField):
        return not value
    if isinstance(field, DateTimeField):
        return value + HOUR
    if isinstance(field, IntegerField):
        return value + 1
    return "Asia/Tokyo" if field.name == "timezone" else f"{value}x"


EVENT_FIELDS = [
    field.name
    for field in Event._meta.concrete_fields
    if field.name not in NOT_SETTINGS | UNREGISTERED
]
TERMS_FIELDS = [field.name for field in Terms._meta.concrete_fields if field.name not in NOT_TERMS]


@pytest.mark.parametrize("name", EVENT_FIELDS)
def test_every_field_of_an_event_changed_by_hand_is_named(event: Event, name: str) -> None:
    assert verify() == "true"
    value = other_value(Event._meta.get_field(name), getattr(event, name))
    Event.objects.filter(pk=event.pk).update(**{name: value})
    slug = value if name == "slug" else "fair"
    assert verify(slug) == f"Changed without a record: {name}."


@pytest.mark.parametrize("name", TERMS_FIELDS)
def test_every_part_of_the_terms_changed_by_hand_is_named(event: Event, name: str) -> None:
    value = other_value(Terms._meta.get_field(name), getattr(event.terms.get(), name))
    event.terms.update(**{name: value})
    assert verify() == f"Changed without a record: terms.{name}."


@pytest.mark.parametrize("name", QUESTION_FIELDS)
def test_every_part_of_a_question_changed_by_hand_is_named(event: Event, name: str) -> None:
    field, asked = Question._meta.get_field(name), event.questions.filter(name="preference")
    value = {"more": 1} if name == "settings" else other_value(field, getattr(asked.get(), name))
    asked.update(**{name: value})
    assert verify() == f"Changed without a record: questions.preference.{name}."


def change_guidelines(event: Event) -> None:
    event.guidelines.update(text="# Be quick")


def add_guidelines(event: Event) -> None:
    event.guidelines.create(version=2, text="# Be quick")


def add_terms(event: Event) -> None:
    Terms.objects.create(event=event, version=2, licence="CC0-1.0", prize_rules="One each.")


def drop_terms(event: Event) -> None:
    event.terms.all().delete()


def add_question(event: Event) -> None:
    Question.objects.create(event=event, position=9, name="why", kind="text", title="Why?")


def drop_question(event: Event) -> None:
    event.questions.filter(name="comment").delete()


def retire_key(event: Event) -> None:
    Control.objects.filter(key__sign=-1).update(retired_at=NOW)


def drop_key(event: Event) -> None:
    Control.objects.filter(key__sign=-1).delete()


def add_key(event: Event) -> None:
    make_control(event)


def swap_keys(event: Event) -> None:
    """The same keys at other matchups."""
    for mine, sign in zip(Control.objects.order_by("pk"), (-1, 1, 1), strict=True):
        Control.objects.filter(pk=mine.pk).update(key={"sign": sign})


def rewrite_registration(event: Event) -> None:
    """With a digest that fits."""
    said = event.registration.content.replace('"overlap":3', '"overlap":4')
    assert said != event.registration.content
    Registration.objects.update(content=said, digest=digest_of(said))
    Event.objects.update(overlap=4)


def rewrite_digest(event: Event) -> None:
    Registration.objects.update(digest="0" * 64)


def rewrite_keys_key(event: Event) -> None:
    Registration.objects.update(keys_key="0" * 64)


BY_HAND = [
    (change_guidelines, "guidelines"),
    (add_guidelines, "guidelines"),
    (add_terms, "terms.licence"),
    (drop_terms, "terms.prize_rules"),
    (add_question, "questions"),
    (drop_question, "questions"),
    (turn_key, "keys of controls"),
    (retire_key, "keys of controls"),
    (drop_key, "keys of controls"),
    (add_key, "keys of controls"),
    (swap_keys, "keys of controls"),
    (rewrite_registration, "registration in the ledger"),
    (rewrite_digest, "registration"),
    (rewrite_keys_key, "keys of controls"),
]


@pytest.mark.parametrize(
    ("change", "name"), BY_HAND, ids=lambda each: getattr(each, "__name__", "")
)
def test_everything_else_changed_by_hand_is_named(event: Event, change, name: str) -> None:
    change(event)
    assert verify() == f"Changed without a record: {name}."


def test_a_record_does_not_cover_what_was_changed_before_it(event: Event, olga: User) -> None:
    save(event, olga, overlap=5)
    assert verify() == "true"
    Event.objects.update(overlap=6)
    save(event, olga, overlap=7)
    assert verify() == "Changed without a record: overlap."


def test_nor_what_was_changed_after_it(event: Event, olga: User) -> None:
    save(event, olga, overlap=5)
    Event.objects.update(overlap=3)
    assert verify() == "Changed without a record: overlap."


def test_a_decision_written_by_hand_is_none(event: Event) -> None:
    Event.objects.update(overlap=4)
    Decision.objects.create(
        event=event,
        act=Act.SETTING_CHANGED,
        made_at=NOW,
        by="Staff 123456",
        note="As wanted.",
        old={"overlap": 3},
        new={"overlap": 4},
    )
    assert verify() == "Changed without a record: decision of 2026-11-01 12:00:00."
    seal_event(event.pk, NOW)
    assert "is not in the ledger" in str(verify_ledger(event.pk))


@pytest.mark.parametrize(
    "changes",
    [{"new": {"overlap": 6}}, {"by": "Staff 000000"}, {"note": "No."}, {"made_at": NOW + HOUR}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_decision_that_was_rewritten_is_named(
    event: Event, olga: User, changes: dict[str, Any]
) -> None:
    save(event, olga, overlap=5)
    seal_event(event.pk, NOW)
    allow_deletion()
    Decision.objects.filter(event=event).update(**changes)
    assert "decision of 2026-11-01" in verify()
    assert str(verify_ledger(event.pk)).endswith("is not as the ledger has it: hmac.")


def test_a_decision_that_was_deleted_is_missed(event: Event, olga: User) -> None:
    save(event, olga, overlap=5)
    allow_deletion()
    Decision.objects.all().delete()
    assert verify() == "Changed without a record: overlap."


def test_a_setting_of_a_later_release_is_no_change(event: Event) -> None:
    said = content(event)
    del said["settings"]["overlap"], said["settings"]["terms"]["assistance"]
    as_then = json.dumps(said, sort_keys=True, separators=(",", ":"))
    Registration.objects.update(content=as_then, digest=digest_of(as_then))
    assert verify() == "Changed without a record: registration in the ledger."
