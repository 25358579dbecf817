"""What is changed with a record is as registered and recorded, whoever changes it by which verb."""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from arena.events.decision_record import Ruling, record_decision
from arena.events.importing.reverting import revert_import
from arena.events.joining.terms import accept_terms_version
from arena.events.lifecycle.transitions import close_event, extend_event, open_event
from arena.events.models import (
    Act,
    Control,
    Decision,
    Event,
    ImportJob,
    Matchup,
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
from tests.events.record_files import bring, control, record
from tests.events.registered import (
    HOUR,
    make_draft,
    make_registered,
    register_anew,
    ruling,
    turn_key,
    verify,
)
from tests.factories import (
    NOW,
    make_control,
    make_matchup,
    make_user,
)
from tests.threads import parallel_map

pytestmark = pytest.mark.django_db
KEYED = control("a", external_id="c1", prompt="1 + 1?")
FIRST, SECOND = ExpectedAnswer("a", "So it is."), ExpectedAnswer("b", "So it is.")


@pytest.fixture
def olga() -> User:
    return make_user("olga")


@pytest.fixture
def event(olga: User) -> Event:
    return make_registered(olga)


def withdraw(event: Event, olga: User) -> None:
    withdraw_key(Control.objects.order_by("pk").first(), "Wrong.", ruling(olga))


def withdraw_and_give_back(event: Event, olga: User) -> None:
    withdraw(event, olga)
    change_key(Control.objects.order_by("pk").first(), SECOND, ruling(olga))


def join(event: Event, olga: User) -> None:
    """The first to accept terms that nobody has written, after a decision about something else."""
    Terms.objects.all().delete()
    register_anew(event)
    retire(event, olga)
    assert accept_terms_version(event, 1).pk is not None


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
    register_anew(event)
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
    *(join, withdraw, withdraw_and_give_back, change_twice, give_key, give_key_of_what_was_a_draft),
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


@pytest.mark.django_db(transaction=True)
def test_keys_that_come_with_the_opening_are_registered_or_recorded(olga: User) -> None:
    draft = make_draft(olga)
    ordinary = draft.matchups.filter(role="ordinary").select_related("event", "record")[:8]
    calls: list[Callable[[], object]] = [
        partial(mark_as_control, matchup, FIRST, ruling(olga)) for matchup in ordinary
    ]
    calls.insert(4, partial(open_event, draft, NOW))
    assert [each for each in parallel_map(calls) if isinstance(each, BaseException)] == []
    registered = draft.registration.read_content()["controls"]["count"]
    assert registered - 3 + Decision.objects.filter(act=Act.KEY_SET).count() == 8
    assert verify() == "true"
