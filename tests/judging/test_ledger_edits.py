"""Every edit of a single row in SQL, behind the application's back, is found."""

import os
from datetime import timedelta
from functools import partial
from random import Random

import pytest
from django.test import Client
from django.urls import reverse

from arena.events.decision_record import Ruling
from arena.events.models import Control, Event, ImportJob, LedgerEntry, Matchup, Response
from arena.judging.ledger import seal_event, verify_ledger
from arena.judging.ledger.checks import check_ledgers
from arena.judging.ledger.verifying import verify_batches
from arena.judging.models import Exclusion, Judgment, LedgerBatch, LedgerCheck
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.exclusions import exclude, lift_exclusion
from tests.factories import NOW, make_enrollment, make_event, make_judgment
from tests.judging.campaign import SETTINGS, Campaign, bring, export_of
from tests.judging.ledger_edits import Edit, Editor, attempt, draw_edits

pytestmark = pytest.mark.django_db
# CI looks at 200; ARENA_LEDGER_EDITS=1000 looks at more.
EDITS = int(os.environ.get("ARENA_LEDGER_EDITS", "200"))
EDITS_OF_A_SEED = 50
# A day of the schedule takes seconds: CI looks at fewer.
SCHEDULED_EDITS = EDITS if EDITS > 200 else 10
SCHEDULED_EDITS_OF_A_SEED = min(SCHEDULED_EDITS, EDITS_OF_A_SEED)


def sealed_campaign() -> Event:
    """Judgments of every kind from the screen, one revised; exclusions in force and lifted."""
    campaign = Campaign()
    revised = Judgment.objects.filter(event=campaign.event, revision=0).first()
    assignment = revised.assignment
    answers = check_answers(assignment, {"preference": "both_bad", "comment": "on reflection"})
    record_judgment(assignment, answers, now=NOW, replaces="0")
    lifted = exclude(campaign.people[1], Exclusion.Reason.RIGGING, Ruling(None, NOW))
    lift_exclusion(lifted, Ruling(None, NOW))
    ImportJob.objects.create(
        event=campaign.event, state=ImportJob.State.FAILED, created_at=NOW, format="csv"
    )
    seal_event(campaign.event.pk, NOW)
    return campaign.event


def imported_campaign(event: Event) -> Event:
    """The same judgments in another event, which a file has brought."""
    copy = make_event("copy", **SETTINGS)
    bring(copy, export_of(event))
    return copy


@pytest.mark.parametrize("seed", range(EDITS // EDITS_OF_A_SEED))
def test_every_edit_of_a_row_that_a_board_follows_from_is_found(seed: int) -> None:
    event = sealed_campaign()
    copy = imported_campaign(event)
    edited = (event, copy)[seed % 2]
    assert verify_ledger(event.pk) is None
    assert verify_ledger(copy.pk) is None
    editor = Editor(edited, Random(f"edits {seed}"))

    missed = [
        edit.what
        for edit, found in draw_edits(editor, EDITS_OF_A_SEED, lambda: verify_ledger(edited.pk))
        if found is None
    ]

    assert missed == []
    assert verify_ledger(edited.pk) is None  # each was taken back


def find_by_schedule(event: Event, client: Client) -> str:
    """What the event's page says after a day of the running verification; "" where it says
    nothing. What a pass over what is new misses, the one over everything finds."""
    page = reverse("events:event", args=[event.slug])
    for hour in (1, 7, 13, 19, 24):
        check_ledgers(NOW + timedelta(hours=hour), is_over=lambda: False)
        if LedgerCheck.objects.get(event=event).failed_at:
            return client.get(page).content.decode().partition("differs from the ledger")[1]
    return ""


@pytest.mark.parametrize("seed", range(SCHEDULED_EDITS // SCHEDULED_EDITS_OF_A_SEED))
def test_every_edit_is_found_within_a_day_and_the_page_says_so(seed: int, client: Client) -> None:
    event = sealed_campaign()
    edited = (event, imported_campaign(event))[seed % 2]
    check_ledgers(NOW, is_over=lambda: False)
    assert LedgerCheck.objects.get(event=edited).verified_at == NOW
    assert find_by_schedule(edited, client) == ""
    assert LedgerCheck.objects.get(event=edited).verified_at == NOW + timedelta(hours=24)
    LedgerCheck.objects.all().delete()
    check_ledgers(NOW, is_over=lambda: False)
    editor = Editor(edited, Random(f"edits on schedule {seed}"))
    look = partial(find_by_schedule, edited, client)

    missed = [
        edit.what for edit, said in draw_edits(editor, SCHEDULED_EDITS_OF_A_SEED, look) if not said
    ]

    assert missed == []


def edits_unseen_by_the_judgments_alone(event: Event) -> dict[str, Edit]:
    """What the chain over judgments and their answers did not see."""
    judged = Judgment.objects.filter(event=event, ledger_seq__isnull=False)
    matchups = Matchup.objects.filter(judgments__in=judged)
    control = Control.objects.filter(matchup__in=matchups).first()
    response = Response.objects.filter(matchups__in=matchups, competitor__isnull=False).first()
    batch = LedgerBatch.objects.filter(event=event).last()
    person = judged.first().enrollment_id
    table = {model: model._meta.db_table for model in (Response, Judgment, Control, Matchup)}
    ordinary = matchups.filter(role=Matchup.Role.ORDINARY).first()
    return {
        "a response of nobody": Edit(
            "", f"UPDATE {table[Response]} SET competitor_id = NULL WHERE id = %s", (response.pk,)
        ),
        "a judgment that does not stand": Edit(
            "",
            f"UPDATE {table[Judgment]} SET standing = %s WHERE id = %s",
            (False, judged.filter(standing=True).first().pk),
        ),
        "a key turned": Edit(
            "",
            f"UPDATE {table[Control]} SET key = %s WHERE id = %s",
            ('{"sign": -1}' if control.key["sign"] == 1 else '{"sign": 1}', control.pk),
        ),
        "a role changed": Edit(
            "", f"UPDATE {table[Matchup]} SET role = 'anchor' WHERE id = %s", (ordinary.pk,)
        ),
        "an exclusion put in": Edit(
            "",
            "INSERT INTO judging_exclusion (event_id, enrollment_id, reason, note, created_at)"
            " VALUES (%s, %s, 'rigging', '', %s)",
            (event.pk, person, "2026-11-01 12:00:00+00:00"),
        ),
        "an exclusion lifted": Edit(
            "",
            "UPDATE judging_exclusion SET lifted_at = created_at WHERE id = %s",
            (Exclusion.objects.in_force().filter(event=event).first().pk,),
        ),
        "the last batch deleted": Edit(
            "", "DELETE FROM judging_ledgerbatch WHERE id = %s", (batch.pk,)
        ),
        "a text changed": Edit(
            "", f"UPDATE {table[Response]} SET text = 'better' WHERE id = %s", (response.pk,)
        ),
    }


def test_what_the_chain_of_judgments_does_not_see_the_ledger_does() -> None:
    event = sealed_campaign()
    for what, edit in edits_unseen_by_the_judgments_alone(event).items():
        assert attempt(edit, lambda: verify_batches_by_digest(event)) is None, what
        assert attempt(edit, lambda: verify_ledger(event.pk)) is not None, what


def verify_batches_by_digest(event: Event) -> str | None:
    """The batch whose digest differs, as it was verified before there were entries."""
    found = verify_batches(event.pk)
    return None if found is None or "counts where" in str(found) else str(found)


def test_a_judgment_deleted_with_its_batch_is_missing() -> None:
    event = sealed_campaign()
    make_judgment(make_enrollment(event))
    seal_event(event.pk, NOW)
    batch = LedgerBatch.objects.filter(event=event).last()
    judgments = Judgment.objects.filter(
        event=event, ledger_seq__range=(batch.first_seq, batch.last_seq)
    )
    judgments.delete()
    batch.delete()
    assert verify_batches_by_digest(event) is None
    assert f"{batch.first_seq} to {batch.last_seq} is missing" in str(verify_ledger(event.pk))


def test_entries_say_texts_by_digest_alone() -> None:
    event = sealed_campaign()
    said = " ".join(str(entry.content) for entry in LedgerEntry.objects.filter(event=event))
    assert "less dense" not in said
    assert "Why does ice float" not in said
