"""What an event registers at its opening, and that no change of it without a record goes unseen."""

import hashlib
import io
import json
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import BooleanField, DateTimeField, Field, IntegerField

from arena.errors import ConflictError
from arena.events.decision_record import Ruling, record_decision
from arena.events.importing.reverting import revert_import
from arena.events.ledger import digest_of
from arena.events.lifecycle import transitions
from arena.events.lifecycle.decisions import works_alone
from arena.events.lifecycle.event_settings import (
    NOT_SETTINGS,
    NOT_TERMS,
    QUESTION_FIELDS,
    describe_settings,
    recorded_settings,
)
from arena.events.lifecycle.registration.words import LABELS, flatten_terms
from arena.events.lifecycle.registration.writing import UNREGISTERED
from arena.events.lifecycle.transitions import close_event, extend_event, open_event
from arena.events.models import (
    Act,
    Control,
    Decision,
    Event,
    ImportJob,
    LedgerEntry,
    Matchup,
    Membership,
    Question,
    Registration,
    Terms,
)
from arena.events.records.controls import (
    ExpectedAnswer,
    change_key,
    mark_as_control,
    retire_matchup,
    withdraw_key,
)
from arena.events.records.corrections import RecordTexts, correct_record, texts_of
from arena.events.records.ties import make_tie_controls
from arena.judging.ledger import seal_event, verify_ledger
from arena.people.models import User
from tests.append_only import allow_deletion
from tests.events.record_files import bring, control, record
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_event,
    make_matchup,
    make_matchups,
    make_membership,
    make_user,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
KEYED = control("a", external_id="c1", prompt="1 + 1?")
FIRST, SECOND = ExpectedAnswer("a", "So it is."), ExpectedAnswer("b", "So it is.")


@pytest.fixture
def olga() -> User:
    return make_user("olga")


@pytest.fixture
def draft(olga: User) -> Event:
    """Everything that can be registered, before its opening: two organizers, terms, controls."""
    event = make_event(
        "fair", organizer=olga, state=Event.State.DRAFT, closes_at=NOW + 48 * HOUR, publish_batch=20
    )
    make_membership(event, make_user("otto"), Membership.Role.ORGANIZER)
    make_matchups(event, make_competitors(event, 2), 12)
    for sign in (1, 1, -1):
        make_control(event, sign)
    Terms.objects.create(event=event, version=1, licence="CC-BY-4.0", prize_rules="One each.")
    return event


@pytest.fixture
def event(draft: Event) -> Event:
    """The same, opened."""
    open_event(draft, NOW)
    return draft


def verify(slug: str = "fair") -> str:
    """What the command says: "true", or the names of what was changed."""
    out = io.StringIO()
    try:
        call_command("registration", slug, "--verify", stdout=out)
    except CommandError as error:
        assert out.getvalue() == "false\n"
        return str(error)
    return out.getvalue().strip()


def content(event: Event) -> dict[str, Any]:
    return event.registration.read_content()


def ruling(olga: User, now: datetime = NOW) -> Ruling:
    return Ruling(olga, now, "It was asked for.")


# --- at the opening -----------------------------------------------------------------------------


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


# --- changed behind the record ------------------------------------------------------------------


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


def turn_key(event: Event) -> None:
    first = Control.objects.filter(retired_at=None).earliest("pk")
    sign = 0 if first.key["sign"] else 1
    Control.objects.filter(pk=first.pk).update(key={"sign": sign})


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
    (drop_terms, "terms"),
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


def save(event: Event, olga: User, **settings: Any) -> None:
    """Change settings with a record."""
    with recorded_settings(event, ruling(olga)):
        Event.objects.filter(pk=event.pk).update(**settings)


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


# --- changed with a record ----------------------------------------------------------------------


def withdraw(event: Event, olga: User) -> None:
    withdraw_key(Control.objects.order_by("pk").first(), "Wrong.", ruling(olga))


def withdraw_and_give_back(event: Event, olga: User) -> None:
    withdraw(event, olga)
    change_key(Control.objects.order_by("pk").first(), SECOND, ruling(olga))


def change_twice(event: Event, olga: User) -> None:
    for said in (SECOND, FIRST):
        change_key(Control.objects.order_by("pk").first(), said, ruling(olga))


def give_key(event: Event, olga: User) -> None:
    mark_as_control(event.matchups.filter(role="ordinary").first(), FIRST, ruling(olga))


def give_key_of_what_was_a_draft(event: Event, olga: User) -> None:
    """By somebody whose page was loaded before the opening."""
    matchup = event.matchups.filter(role="ordinary").select_related("event").first()
    matchup.event.state = Event.State.DRAFT
    mark_as_control(matchup, FIRST, ruling(olga))


def make_ties(event: Event, olga: User) -> None:
    for _ in range(6):
        make_control(event)
    Registration.objects.all().delete()
    LedgerEntry.objects.all().delete()
    transitions.register(event, NOW)
    assert make_tie_controls(event, ruling(olga), Random(1)) == 1


def retire(event: Event, olga: User) -> None:
    retire_matchup(Matchup.objects.filter(role="control").first(), ruling(olga))


def correct(event: Event, olga: User) -> None:
    keyed = Control.objects.order_by("pk").first().matchup.record
    texts = texts_of(keyed)
    correct_record(keyed, RecordTexts(["Better?"], texts.responses), ruling(olga), Random(1))


def correct_and_change(event: Event, olga: User) -> None:
    correct(event, olga)
    change_key(Control.objects.latest("pk"), SECOND, ruling(olga))
    withdraw(event, olga)


def bring_key(event: Event, olga: User) -> None:
    assert bring(event, [record(1), KEYED]).landed


def bring_another_key(event: Event, olga: User) -> None:
    bring_key(event, olga)
    assert bring(event, [KEYED | {"control": {"expected": "b", "reason": "No."}}]).landed


def take_import_back(event: Event, olga: User) -> None:
    bring_key(event, olga)
    revert_import(ImportJob.objects.latest("pk"), by=olga, now=NOW)


def extend(event: Event, olga: User) -> None:
    extend_event(event, NOW + 72 * HOUR, ruling(olga))


def close(event: Event, olga: User) -> None:
    close_event(event, Ruling(olga, NOW + HOUR))


WITH_RECORD = [
    *(withdraw, withdraw_and_give_back, change_twice, give_key, give_key_of_what_was_a_draft),
    *(make_ties, retire, correct, correct_and_change),
    *(bring_key, bring_another_key, take_import_back),
    *(extend, close),
]


@pytest.mark.parametrize("change", WITH_RECORD, ids=lambda change: change.__name__)
def test_what_leaves_a_record_verifies(event: Event, olga: User, change) -> None:
    change(event, olga)
    assert Decision.objects.filter(event=event).exists()
    assert verify() == "true"
    seal_event(event.pk, NOW)
    assert verify_ledger(event.pk) is None
    turn_key(event)
    assert "key" in verify()


def test_a_key_that_a_correction_did_not_hand_on_is_named(event: Event, olga: User) -> None:
    correct(event, olga)
    added = Control.objects.latest("pk")
    Control.objects.filter(pk=added.pk).update(key={"sign": 0})
    assert verify().startswith("Changed without a record: key of r")


def test_a_key_changed_before_a_record_of_it_is_named(event: Event, olga: User) -> None:
    turn_key(event)
    key = Control.objects.order_by("pk").select_related("matchup__record").first()
    change_key(key, ExpectedAnswer("tie", "Both."), ruling(olga))
    assert "keys of controls" in verify()


def test_another_decision_moves_nothing(event: Event, olga: User) -> None:
    record_decision(event, Act.WARNED, ruling(olga), contributor="pseudonym-1")
    make_matchup(event)
    assert verify() == "true"
