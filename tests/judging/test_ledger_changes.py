"""What the application itself changes leaves a ledger that verifies; the same by hand does not."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from random import Random

import pytest
from django.apps import apps
from django.core.management import call_command
from django.urls import reverse

from arena.desk.forms.event import QuestionsForm
from arena.events.decision_record import Ruling
from arena.events.importing.reading.name_index import CompetitorRow, NameIndex
from arena.events.importing.reverting import delete_reverted, revert_import
from arena.events.models import (
    Competitor,
    Control,
    Decision,
    Enrollment,
    Event,
    ImportJob,
    LedgerEntry,
    Matchup,
    Membership,
    Record,
    Response,
)
from arena.events.records.controls import ExpectedAnswer, change_key, mark_as_control, withdraw_key
from arena.events.records.corrections import RecordTexts, correct_record, texts_of
from arena.judging.leaving.erasure import erase_contributor
from arena.judging.ledger import seal_event, sealing, verify_ledger
from arena.judging.models import Assignment, Exclusion, Judgment, LedgerBatch
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.exclusions import exclude, lift_exclusion
from tests.append_only import allow_deletion
from tests.events.record_files import bring, control, record
from tests.factories import (
    NOW,
    make_enrollment,
    make_event,
    make_membership,
    make_user,
)
from tests.judging.ledger_edits import Editor, draw_edits

pytestmark = pytest.mark.django_db
KEYED = control("a", external_id="c1", prompt="1 + 1?")
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def event() -> Event:
    """Two records and a control, judged by two people and sealed; one record that nobody judged."""
    made = make_event("fair")
    bring(made, [record(1, categories=["x"]), record(2), KEYED])
    for _ in range(2):
        person = make_enrollment(made, make_user())
        for matchup in Matchup.objects.filter(event=made):
            judge(person, matchup, "a2")
    bring(made, [record(3, categories=["x"])], now=LATER)
    seal_event(made.pk, NOW)
    assert LedgerEntry.objects.filter(kind="key").count() == 1
    return made


def show(person: Enrollment, matchup: Matchup) -> Assignment:
    """This very matchup on this person's screen."""
    return Assignment.objects.create(
        enrollment=person,
        matchup=matchup,
        ordinal=person.assignments.count() + 1,
        order=[0, 1],
        state=Assignment.State.SHOWN,
        reserved_at=NOW,
        shown_at=NOW,
        lease_until=NOW + timedelta(minutes=30),
    )


def judge(person: Enrollment, matchup: Matchup, answer: str) -> Judgment:
    assignment = show(person, matchup)
    answers = check_answers(assignment, {"preference": answer})
    return record_judgment(assignment, answers, now=NOW)


def judged_matchup(event: Event) -> Matchup:
    return Matchup.objects.filter(event=event, role="ordinary", judgments__isnull=False).first()


def give_a_key(event: Event) -> None:
    mark_as_control(judged_matchup(event), ExpectedAnswer("b", "It is."), Ruling(None, NOW))


def turn_a_key(event: Event) -> None:
    change_key(
        Control.objects.get(matchup__event=event), ExpectedAnswer("b", "It is."), Ruling(None, NOW)
    )


def withdraw_and_give_back(event: Event) -> None:
    key = Control.objects.get(matchup__event=event)
    withdraw_key(key, "Doubtful.", Ruling(None, NOW))
    assert verify_ledger(event.pk) is None
    change_key(Control.objects.get(pk=key.pk), ExpectedAnswer("tie", "Both."), Ruling(None, NOW))


def correct(event: Event) -> None:
    for matchup in Matchup.objects.filter(event=event, judgments__isnull=False).distinct():
        texts = texts_of(matchup.record)
        correct_record(
            matchup.record, RecordTexts(["Better?"], texts.responses), Ruling(None, NOW), Random(1)
        )
    corrected = Matchup.objects.filter(record__replaces__isnull=False)
    assert corrected.count() == 3
    for matchup in corrected:
        judge(make_enrollment(event), matchup, "tie")


def import_other_categories(event: Event) -> None:
    assert bring(event, [record(1, categories=["y", "z"]), record(2, metadata={"a": 1})]).updated


def import_a_key(event: Event) -> None:
    keyed = record(3, control={"expected": "a", "reason": "So."})
    assert bring(event, [keyed], now=LATER).updated == 1
    turned = keyed | {"control": {"expected": "b", "reason": "So."}}
    assert bring(event, [turned], now=LATER).updated == 1
    judge(make_enrollment(event), Matchup.objects.get(record__external_id="r3"), "a1")


def import_another_organization(event: Event) -> None:
    name = Competitor.objects.filter(event=event).first().name
    NameIndex(event, [CompetitorRow(name, organization="Ash Labs")]).update_competitors()
    assert Competitor.objects.filter(organization="Ash Labs").exists()


def take_back_what_was_changed(event: Event) -> None:
    changed = record(3, categories=["q"], responses={"Ash 1": "Other.", "Birch 2": "No 3."})
    assert bring(event, [changed], now=LATER).updated == 1
    assert LedgerEntry.objects.filter(kind="response", number=None).exists()
    job = ImportJob.objects.get(records__external_id="r3")
    revert_import(job, LATER, by=None)
    delete_reverted(job.pk, LATER)
    assert not Record.objects.filter(external_id="r3").exists()


def exclude_and_reinstate(event: Event) -> None:
    judgment = Judgment.objects.filter(event=event).first()
    for subject in (judgment, judgment.enrollment):
        exclusion = exclude(subject, Exclusion.Reason.RIGGING, Ruling(None, NOW))
        seal_event(event.pk, NOW)
        assert verify_ledger(event.pk) is None
        lift_exclusion(exclusion, Ruling(None, NOW, "A mistake."))
        assert verify_ledger(event.pk) is None
    exclude(judgment, Exclusion.Reason.BROKEN, Ruling(None, NOW))


def revise(event: Event) -> None:
    judgment = Judgment.objects.filter(event=event).first()
    answers = check_answers(judgment.assignment, {"preference": "b2"})
    record_judgment(judgment.assignment, answers, now=NOW, replaces="0")


def revise_what_is_excluded(event: Event) -> None:
    judgment = Judgment.objects.filter(event=event).first()
    exclude(judgment, Exclusion.Reason.BROKEN, Ruling(None, NOW))
    revise(event)
    assert Exclusion.objects.filter(judgment__revision=1).exists()


def answer_too_late(event: Event) -> None:
    assignment = show(make_enrollment(event), judged_matchup(event))
    Event.objects.filter(pk=event.pk).update(closes_at=NOW - timedelta(hours=1))
    assignment.enrollment.event.refresh_from_db()
    record_judgment(assignment, check_answers(assignment, {"preference": "a1"}), now=NOW)
    assert Exclusion.objects.filter(reason="late").exists()


def leave(event: Event) -> None:
    person = Judgment.objects.filter(event=event).first().enrollment.user
    erase_contributor(person, NOW)


def count_styles_anew(event: Event) -> None:
    Response.objects.filter(matchups=judged_matchup(event)).update(length=99)
    assert "style" in str(verify_ledger(event.pk))
    call_command("count_style", event.slug)


CHANGES: list[Callable[[Event], None]] = [
    give_a_key,
    turn_a_key,
    withdraw_and_give_back,
    correct,
    import_other_categories,
    import_a_key,
    import_another_organization,
    take_back_what_was_changed,
    exclude_and_reinstate,
    revise,
    revise_what_is_excluded,
    answer_too_late,
    leave,
    count_styles_anew,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_the_application_changes_verifies(event: Event, change) -> None:
    assert verify_ledger(event.pk) is None
    change(event)
    assert verify_ledger(event.pk) is None  # while its entries wait
    seal_event(event.pk, NOW)
    assert not LedgerEntry.objects.filter(number=None).exists()
    assert verify_ledger(event.pk) is None


def test_settings_saved_at_the_desk_verify(event: Event, client) -> None:
    make_membership(event, organizer := make_user("olga"), Membership.Role.ORGANIZER)
    client.force_login(organizer)
    said = QuestionsForm(instance=event).initial | {"control_interval": 12, "comment": "on"}
    said["why"] = "So."
    posted = {
        name: value for name, value in said.items() if value is not None and value is not False
    }
    reply = client.post(reverse("desk:questions", args=[event.slug]), posted)
    assert (reply.status_code, Event.objects.get().control_interval) == (302, 12)
    assert verify_ledger(event.pk) is None
    Event.objects.update(control_interval=13)
    assert str(verify_ledger(event.pk)).endswith("is not as the ledger has it: control_interval.")


def test_a_deleted_entry_of_a_change_is_missed(event: Event) -> None:
    turn_a_key(event)
    seal_event(event.pk, NOW)
    LedgerEntry.objects.sealed().last().delete()
    decision = Decision.objects.latest("pk")
    assert str(verify_ledger(event.pk)) == f"Decision {decision.pk} is not in the ledger."
    LedgerEntry.objects.sealed().last().delete()
    assert str(verify_ledger(event.pk)).startswith("The key of matchup ")


def as_before_there_were_entries(event: Event) -> None:
    """An older database, migrated: it has no record of decisions either."""
    allow_deletion()
    Decision.objects.all().delete()
    LedgerEntry.objects.all().delete()
    LedgerBatch.objects.update(row_digests=None)
    migration = import_module("arena.judging.migrations.0006_verified_ledger")
    migration.begin_chains(apps, None)


def exclude_as_before(event: Event) -> None:
    """An exclusion of which nothing else was written down."""
    Exclusion.objects.create(
        event=event, enrollment=make_enrollment(event), reason="rigging", created_at=NOW
    )


def test_what_was_sealed_earlier_stays_verifiable_and_joins_the_chain(
    event: Event, monkeypatch
) -> None:
    exclude_as_before(event)
    judge(make_enrollment(event), judged_matchup(event), "b1")
    seal_event(event.pk, NOW)
    as_before_there_were_entries(event)
    assert verify_ledger(event.pk) is None  # by the judgments alone
    judge(make_enrollment(event), judged_matchup(event), "a1")
    monkeypatch.setattr(sealing, "MAX_BATCHES_ENTERED", 1)
    assert seal_event(event.pk, NOW) == 0  # others have their turn
    assert verify_ledger(event.pk) is None
    assert seal_event(event.pk, NOW) == 1
    assert verify_ledger(event.pk) is None
    editor = Editor(event, Random("earlier"))
    found = list(draw_edits(editor, 30, lambda: verify_ledger(event.pk)))
    assert [edit.what for edit, difference in found if difference is None] == []


def test_an_exclusion_from_before_is_entered_once(event: Event) -> None:
    exclude_as_before(event)
    as_before_there_were_entries(event)
    seal_event(event.pk, NOW)
    assert LedgerEntry.objects.filter(kind="exclusion").count() == 1
    exclude_as_before(event)
    assert "is not in the ledger" in str(verify_ledger(event.pk))
