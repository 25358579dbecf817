"""The running verification, its command and pages, and heads that are published."""

import json
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from arena.events.models import Event, LedgerEntry, Membership, Response
from arena.judging.ledger import seal_event, verify_ledger, verifying
from arena.judging.ledger.checks import check_ledgers
from arena.judging.ledger.heads import get_chain_head, publish_heads
from arena.judging.models import Answer, Judgment, LedgerBatch, LedgerCheck
from arena.judging.tasks import check_ledgers as check_ledgers_task
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
    make_matchups,
    make_membership,
    make_user,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=13)


@pytest.fixture
def event() -> Event:
    made = make_event("rivers", overlap=9)
    models = make_competitors(made, 2)
    make_matchups(made, models, 4)
    person = make_enrollment(made)
    for answer in ("a2", "tie", "b1"):
        make_judgment(person, answer)
    seal_event(made.pk, NOW)
    return made


def check(now=NOW, *, slices: int = 1_000) -> LedgerCheck:
    turns = iter(range(slices))
    check_ledgers(now, is_over=lambda: next(turns, None) is None)
    return LedgerCheck.objects.get()


def change_answer() -> None:
    Answer.objects.filter(judgment__ledger_seq=2, outcome__isnull=False).update(outcome=3)


def test_a_verified_ledger_says_when_and_its_head(event: Event) -> None:
    found = check()
    assert (found.verified_at, found.failed_at) == (NOW, None)
    assert found.verified_head == get_chain_head(event.pk)
    assert found.number == LedgerEntry.objects.sealed().last().number


def test_only_what_is_new_is_verified_until_half_a_day_has_passed(event: Event) -> None:
    check()
    change_answer()
    assert check(NOW + timedelta(hours=1)).failed_at is None
    found = check(LATER)
    assert found.failed_at == LATER
    assert found.failure == "Judgment 2 of the ledger is not as it was sealed."
    assert found.verified_at == NOW + timedelta(hours=1)


def test_a_change_of_something_new_is_found_at_once(event: Event) -> None:
    check()
    make_judgment(make_enrollment(event))
    seal_event(event.pk, NOW)
    last = Judgment.objects.filter(event=event).order_by("ledger_seq").last()
    Answer.objects.filter(judgment=last, outcome__isnull=False).update(outcome=-3)
    assert "Judgment 4" in check(NOW + timedelta(minutes=1)).failure


def test_what_was_put_right_verifies_again(event: Event) -> None:
    change_answer()
    assert check().failed_at == NOW
    assert check(NOW + timedelta(minutes=1)).failed_at == NOW
    Answer.objects.filter(judgment__ledger_seq=2, outcome__isnull=False).update(outcome=0)
    found = check(NOW + timedelta(minutes=2))
    assert (found.failed_at, found.failure) == (None, "")


def test_a_long_ledger_is_verified_in_slices(event: Event, monkeypatch) -> None:
    monkeypatch.setattr(verifying, "ENTRIES_AT_ONCE", 4)
    places = []
    while not (places and places[-1] == LedgerEntry.objects.count()):
        places.append(check(slices=0).number)
        assert len(places) < 100
    assert len(places) > 3
    assert places == sorted(places)
    assert check(slices=0).verified_at == NOW


def test_a_long_ledger_leaves_the_others_their_turn(event: Event, monkeypatch) -> None:
    small = make_event("brooks", overlap=9)
    make_matchup(small, make_competitors(small, 2))
    make_judgment(make_enrollment(small))
    seal_event(small.pk, NOW)
    monkeypatch.setattr(verifying, "ENTRIES_AT_ONCE", 1)
    turns = []
    for minute in range(6):  # each has time for a single slice
        check_ledgers(NOW + timedelta(minutes=minute), is_over=lambda: True)
        turns.append(LedgerCheck.objects.order_by("looked_at").last().event.slug)
    assert turns == ["rivers", "brooks"] * 3


def test_a_ledger_whose_beginning_is_gone_is_looked_at(event: Event) -> None:
    check()
    LedgerEntry.objects.filter(number=1).delete()
    assert check(LATER).failure == "Entry 1 of the ledger is missing."
    LedgerEntry.objects.all().delete()
    assert "is not in the ledger" in check(LATER + timedelta(hours=13)).failure


def test_a_cut_off_end_is_found_by_what_was_verified(event: Event) -> None:
    check()
    LedgerEntry.objects.sealed().last().delete()
    LedgerBatch.objects.all().delete()
    Judgment.objects.all().delete()
    assert "is missing" in check(NOW + timedelta(minutes=1)).failure


def test_the_task_verifies(event: Event) -> None:
    check_ledgers_task()
    assert LedgerCheck.objects.get().verified_head == get_chain_head(event.pk)


def test_the_command_says_what_was_found(event: Event, capsys) -> None:
    call_command("verify_ledger")
    assert capsys.readouterr().out == f"rivers: as written, head {get_chain_head(event.pk)}\n"
    change_answer()
    with pytest.raises(CommandError, match="Not as written: rivers"):
        call_command("verify_ledger", "rivers")
    assert capsys.readouterr().out == "rivers: Judgment 2 of the ledger is not as it was sealed.\n"


def test_the_command_looks_for_a_published_head(event: Event, capsys) -> None:
    head = get_chain_head(event.pk)
    sealed = LedgerEntry.objects.sealed().count()
    make_judgment(make_enrollment(event))
    seal_event(event.pk, NOW)
    later = get_chain_head(event.pk)
    call_command("verify_ledger", "rivers", "--head", head[:16])
    # The end is cut off without a trace in the database.
    LedgerEntry.objects.filter(number__gt=sealed).delete()
    LedgerBatch.objects.filter(first_seq=4).delete()
    Judgment.objects.filter(ledger_seq=4).delete()
    assert verify_ledger(event.pk) is None
    call_command("verify_ledger", "rivers", "--head", head)
    with pytest.raises(CommandError):
        call_command("verify_ledger", "rivers", "--head", later)
    assert "its end was cut off" in capsys.readouterr().out


@pytest.mark.parametrize(
    "asked", [("nowhere",), ("rivers", "--head", "abc"), ("--head", "0123456789abcdef")]
)
def test_the_command_refuses_what_it_cannot_answer(event: Event, asked) -> None:
    with pytest.raises(CommandError):
        call_command("verify_ledger", *asked)


def test_the_event_page_says_when_and_the_desk_warns(event: Event, client) -> None:
    page = reverse("events:event", args=["rivers"])
    assert "Ledger verified" not in client.get(page).content.decode()
    check()
    shown = client.get(page).content.decode()
    assert "Ledger verified" in shown
    assert get_chain_head(event.pk)[:16] in shown
    make_membership(event, organizer := make_user("olga"), Membership.Role.ORGANIZER)
    client.force_login(organizer)
    desk = reverse("desk:overview", args=["rivers"])
    assert "differs from the ledger" not in client.get(desk).content.decode()
    judged = Answer.objects.filter(outcome__isnull=False)
    Response.objects.filter(pk=judged.first().first_id).update(text="better")
    check(LATER)
    assert "is not as the ledger has it: text." in client.get(desk).content.decode()
    assert "differs from the ledger since" in client.get(page).content.decode()


def test_heads_are_mailed_and_posted_where_that_is_set_up(
    event: Event, settings, mailoutbox
) -> None:
    assert publish_heads(NOW) == 0
    received: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.handle_request, daemon=True).start()
        settings.LEDGER_HEADS_MAIL = ["notary@example.org"]
        settings.LEDGER_HEADS_URL = f"http://127.0.0.1:{server.server_port}/"
        assert publish_heads(NOW) == 1
    head = get_chain_head(event.pk)
    assert json.loads(received[0])["heads"] == {"rivers": head}
    assert f"rivers {head}" in mailoutbox[0].body
    assert mailoutbox[0].to == ["notary@example.org"]
