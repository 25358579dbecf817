"""What a whole round leaves behind, in the log and in the database: nothing that tells on anybody.

People sign up, claim seats by every door, sign in by code and by mail, judge, comment, flag, change
their answers and leave, from addresses of their own, while the organizer watches.
"""

import csv
import io
import logging
import re
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone
from structlog.stdlib import ProcessorFormatter

from arena.events.decision_record import Ruling, record_decision
from arena.events.models import Act, Control, Decision, Event, Proposal
from arena.judging.leaving.erasure import erase_contributor, finish_erasures
from arena.judging.models import (
    Answer,
    Appeal,
    Case,
    Exclusion,
    Flag,
    Judgment,
    ReviewWarning,
)
from arena.judging.tasks import seal_ledgers, sweep_leases
from arena.people.account_deletion import empty_write_ahead_log
from leaderboard.snapshots.refresh import refresh_fully
from tests.factories import make_competitors, make_control, make_event, make_matchup, make_user

pytestmark = pytest.mark.django_db
ADDRESSES = ("203.0.113.77", "198.51.100.23", "2001:db8:77::1", "192.0.2.200")
NETWORKS = ("203.0.113.", "198.51.100.", "2001:db8:", "192.0.2.")
PROMPT, RESPONSE = "why-is-the-sky-blue", "rayleigh-scattered-it"
COMMENT, NOTE, REASON = "a-comment-of-mine", "a-note-of-mine", "the-reason-of-a-control"
ACCESS_CODE = re.compile(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}")
CONSENT = {"accept": "yes", "version": "1"}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, in the words in which it would be written."""
    root, text = logging.getLogger(), io.StringIO()
    formatters = [handler.formatter for handler in root.handlers]
    handler, level = logging.StreamHandler(text), root.level
    handler.setFormatter(next(one for one in formatters if isinstance(one, ProcessorFormatter)))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


class Round:
    """An open event, and what people type and receive in it."""

    def __init__(self) -> None:
        self.organizer = make_user("organizer-of-it", email="organizer@mail.example")
        self.event: Event = make_event("sky", organizer=self.organizer)
        # What is private, and what opens something; the latter is stored as hashes at most.
        self.private = {PROMPT, RESPONSE, COMMENT, NOTE, REASON, "mail.example", "correct horse"}
        self.keys: set[str] = set()
        # Sent by mail and good for minutes: they wait in the session of whoever asked for them.
        self.passing: set[str] = set()
        models = make_competitors(self.event, 2)
        for number in range(8):
            matchup = make_matchup(self.event, models, texts=(f"{RESPONSE} {number}", "No idea."))
            matchup.record.prompt[0]["content"] = f"{PROMPT} {number}?"
            matchup.record.save()
        for _ in range(3):
            make_control(self.event)
        Control.objects.update(reason=REASON)

    def desk(self) -> Client:
        """The organizer's browser."""
        client = Client(REMOTE_ADDR=ADDRESSES[3])
        client.force_login(self.organizer)
        return client

    def keep(self, response: Any) -> str:
        """The access code on a page, a key from now on."""
        (code,) = set(ACCESS_CODE.findall(response.content.decode()))
        self.keys.add(code)
        return str(code)

    def everything(self) -> set[str]:
        return self.private | self.keys | self.passing | set(ADDRESSES)


def judge(client: Client) -> None:
    """Read the guidelines, then judge, comment, change one's mind, skip, flag and look back."""

    def current() -> str:
        return str(client.get("/events/sky/judge/", follow=True).request["PATH_INFO"])

    client.post("/events/sky/guidelines/", {"version": "1"})
    for number in range(3):
        there = current()
        client.post(there, {"preference": "a2", "comment": f"{COMMENT} {number}"})
        client.post(there, {"preference": "b1", "comment": f"{COMMENT} again"})
    client.post(current(), {"preference": "nonsense", "comment": COMMENT})
    client.post(f"{current()}skip/", {"reason": "unclear"})
    client.post(f"{current()}flag/", {"reason": "harmful", "note": NOTE})
    assert client.get("/events/sky/me/").status_code == 200


def claim_an_open_seat(played: Round) -> Client:
    """A visitor claims a seat, judges, comes back by a code that is mistyped once, adds mail."""
    form = {"open": "3", "claims_per_network": "30"}
    played.desk().post("/events/sky/desk/seats/", form)
    client = Client(REMOTE_ADDR=ADDRESSES[0])
    page = client.post("/events/sky/join/", CONSENT, follow=True)
    code, name = played.keep(page), page.context["username"]
    played.private.add(name)
    client.post("/account/seat/saved/")
    judge(client)
    again = Client(REMOTE_ADDR=ADDRESSES[1])
    for password in ("0000-0000-0000-0000", code):
        again.post("/account/login/", {"login": name, "password": password})
    played.keep(again.post("/account/seat/code/", {"sure": "yes"}, follow=True))
    again.post("/account/email/", {"email": "visitor@mail.example", "action_add": ""})
    again.post("/account/seat/name/", {"display_name": "Visiting Person"})
    return again


def claim_a_printed_seat(played: Round) -> None:
    """A sheet is made; one of its links is opened by two people."""
    answer = played.desk().post("/events/sky/desk/seats/printed/", {"printed": "2"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("seats.csv").decode("utf-8-sig"))))
    for row in rows:
        token = row["claim_link"].rstrip("/").rpartition("/")[2]
        played.keys |= {row["access_code"], token}
        played.private.add(row["username"])
    first, second = Client(REMOTE_ADDR=ADDRESSES[2]), Client(REMOTE_ADDR=ADDRESSES[1])
    first.post(f"/seats/{token}/", CONSENT)
    judge(first)
    assert second.post(f"/seats/{token}/", CONSENT).status_code == 409
    assert second.get(f"/seats/{token}/more/").status_code == 404


def sign_up(played: Round) -> None:
    """Somebody signs up, signs in by a code from a mail, resets the password, and joins."""
    client = Client(REMOTE_ADDR=ADDRESSES[1])
    address = {"email": "new@mail.example"}
    account = {"username": "new-name", "password1": "correct horse 9"}
    assert client.post("/account/signup/", account | address).status_code == 302
    client.post("/events/sky/join/", CONSENT)
    judge(client)
    client.post("/account/logout/")
    client.post("/account/password/reset/", address)
    client.post("/account/login/code/", address)
    client.post("/account/login/code/confirm/", {"code": "wrong"})
    for message in mail.outbox:
        text = str(message.body)
        played.passing |= set(re.findall(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", text, re.M))
        for path, key in re.findall(r"(/\S+/(?:key|confirm-email)/)([^/\s]+)/", text):
            played.keys.add(key)
            assert client.get(f"/account{path.partition('/account')[2]}{key}/").status_code < 500
            client.get(f"/account/nothing{path.partition('/account')[2]}{key}/")
    assert len(played.passing) == 1
    assert len(played.keys) > 2


def invite(played: Round) -> None:
    """The organizer invites a reviewer; a stranger opens the link as well."""
    form = {"role": "reviewer", "uses": "1", "days": "1"}
    page = played.desk().post("/events/sky/people/", form, follow=True).content.decode()
    (token,) = set(re.findall(r"//testserver/invitations/([\w-]+)/", page))
    played.keys.add(token)
    for address, status in zip(ADDRESSES, (302, 404), strict=False):
        client = Client(REMOTE_ADDR=address)
        client.get(f"/invitations/{token}/")
        client.force_login(make_user())
        assert client.post(f"/invitations/{token}/", {}).status_code == status


def watch(played: Round) -> None:
    """The organizer looks at everything, excludes somebody, closes and downloads."""
    desk, event = played.desk(), played.event
    for page in ("", "records/", "flags/", "contributors/", "controls/", "seats/"):
        assert desk.get(f"/events/sky/desk/{page}").status_code == 200
    enrollment = event.enrollments.first()
    assert enrollment is not None
    form = {"act": "exclude", "reason": "rigging", "note": NOTE}
    desk.post(f"/events/sky/desk/contributors/{enrollment.public_id}/", form)
    seal_ledgers()
    sweep_leases()
    refresh_fully(event, now=timezone.now())
    for file in ("exports/judgments.jsonl", "exports/pairs.jsonl", "leaderboard.csv"):
        assert b"".join(desk.get(f"/events/sky/{file}"))
    desk.post("/events/sky/desk/state/", {"to": "closed", "sure": "yes"})


def dump() -> str:
    """Every value of every table, and what is packed into the sessions."""
    text = io.StringIO()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            text.writelines(f"{table} {row}\n" for row in cursor.fetchall())
    text.writelines(f"session {session.get_decoded()}\n" for session in Session.objects.all())
    return text.getvalue()


def test_a_round_leaves_nothing_that_tells_on_anybody(logged: io.StringIO) -> None:
    played = Round()
    visitor = claim_an_open_seat(played)
    claim_a_printed_seat(played)
    sign_up(played)
    invite(played)
    watch(played)
    assert Judgment.objects.standing().count() >= 9
    assert Answer.objects.filter(value__text__startswith=COMMENT).exists()

    stored = dump()
    assert "Visiting Person" in stored
    assert [network for network in NETWORKS if network in stored] == []
    assert [key for key in played.keys if key in stored] == []

    visitor.post("/account/leave/", {"sure": "yes"})
    stored, judged = dump(), Judgment.objects.filter(enrollment__left_at__isnull=False)
    assert judged.count() > 2
    assert not Answer.objects.filter(judgment__in=judged, value__text__startswith="a").exists()
    assert not Flag.objects.filter(assignment__judgments__in=judged).exclude(note="").exists()
    assert "Visiting Person" not in stored
    assert "visitor@mail.example" not in stored

    text = logged.getvalue()
    assert "Not Found: /seats/…/more/" in text
    assert "download" in text
    assert [secret for secret in played.everything() if secret in text] == []


def test_the_cache_keeps_no_address() -> None:
    """Rate limits count networks under names that only today's key can make."""
    keys: list[str] = []
    add, count = cache.add, cache.count
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "add", lambda key, *a, **k: keys.append(key) or add(key, *a, **k))
        patch.setattr(cache, "count", lambda key, *a: keys.append(key) or count(key, *a))
        client = Client(REMOTE_ADDR=ADDRESSES[0])
        client.post("/account/login/", {"login": "ada@mail.example", "password": "wrong"})
    assert any(key.startswith("limit:") for key in keys)
    assert not [key for key in keys if "203.0" in key or "mail.example" in key]


# --- leaving ---------------------------------------------------------------------------------
WALRUS = ("quixotic-walrus", "walrus+1@mail.example", "old-walrus@mail.example", "octowalrus")
WORDS = ("Sir Walrus the First", "I-hail-from-Hull", "a-note-from-Hull", "not-what-I-hailed")
# What is written in reviews: by them, to them, about them.
REVIEWS = ("an-appeal-of-theirs", "an-answer-to-it", "a-word-of-warning", "a-note-on-a-case")
REVIEWS += ("why-all-is-out", "why-one-is-out", "why-it-was-proposed")


def leave_traces_everywhere(event: Event) -> Client:
    """Somebody with every kind of trace, at whose page the button is; the admin has met them."""
    name, address, old, login = WALRUS
    person = make_user(name, email=address, display_name=WORDS[0])
    current = person.emailaddress_set.create(email=address, verified=True, primary=True)
    gone = person.emailaddress_set.create(email=old)
    social = person.socialaccount_set.create(
        provider="github", uid="70007", extra_data={"login": login, "name": WORDS[0]}
    )
    for one in (person, current, gone, social):
        LogEntry.objects.log_actions(event.memberships.get().user_id, [one], CHANGE)
    gone.delete()
    client = Client()
    assert client.post("/account/login/", {"login": name, "password": "correct horse"})
    client.post("/events/sky/join/", CONSENT)
    client.post("/events/sky/guidelines/", {"version": "1"})
    path = client.get("/events/sky/judge/", follow=True).request["PATH_INFO"]
    client.post(path, {"preference": "a2", "comment": WORDS[1]})
    client.post(path, {"preference": "b1", "comment": WORDS[3], "replaces": "0"})
    path = client.get("/events/sky/judge/", follow=True).request["PATH_INFO"]
    client.post(f"{path}flag/", {"reason": "other", "note": WORDS[2]})
    # On other devices a code has been asked for and a message waits, with nobody signed in.
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        Client().post("/account/login/code/", {"email": address.upper()})
    Client().post("/account/password/reset/", {"email": address})
    waiting = SessionStore()
    waiting["_messages"] = f'[["__json_message",0,20,"We have written to <{address}>."]]'
    waiting.save()
    return client


def leave_traces_of_reviews(event: Event) -> Decision:
    """A row with a text in each table of reviews; the decision behind them, which is kept."""
    who, now = event.enrollments.get(), timezone.now()
    judgment = who.judgments.standing().first()
    assert judgment is not None
    ruling = Ruling(event.memberships.get().user, now, "on-the-record")
    decision = record_decision(event, Act.EXCLUDED, ruling, contributor=who.pseudonym)
    appeal, answer, warning, case, whole, single, proposal = REVIEWS
    about = {"event": event, "enrollment": who}
    answered = {"state": Appeal.State.DECLINED, "answer": answer, "answered_at": now}
    Appeal.objects.create(**about, decision=decision, text=appeal, opened_at=now, **answered)
    ReviewWarning.objects.create(enrollment=who, text=warning, sent_at=now)
    decided = {"state": Case.State.EXCLUDED, "decided_at": now, "decision": decision}
    Case.objects.create(**about, reason="gap", note=case, opened_at=now, **decided)
    made = {"reason": "unreliable", "created_at": now, "decision": decision}
    Exclusion.objects.create(**about, note=whole, **made)
    Exclusion.objects.create(event=event, judgment=judgment, note=single, **made)
    Proposal.objects.create(
        event=event,
        act=Act.EXCLUDED,
        target=f"contributor {who.pk}",
        note=proposal,
        state=Proposal.State.DECLINED,
        proposed_at=now,
        answered_at=now,
    )
    return decision


def files() -> str:
    """What is in every file that the site writes, the embedded database's own included.

    Another process reads them: to close one of SQLite's files drops the locks that this process
    has on it, and whoever closes the database next takes it for the last.
    """
    folders = [Path(settings.VAR)]
    if connection.vendor == "sqlite":
        folders.append(Path(connection.settings_dict["NAME"]).parent)
    found = {file for folder in folders for file in folder.rglob("*") if file.is_file()}
    shown = subprocess.run(
        ["tail", "-v", "-c", "+1", *sorted(found)], capture_output=True, check=True
    )
    return shown.stdout.decode("latin-1")


@pytest.mark.django_db(transaction=True)
def test_whoever_leaves_leaves_nothing(
    logged: io.StringIO, capfd: pytest.CaptureFixture[str], settings: Any
) -> None:
    settings.EMAIL_BACKEND = "arena.mail.TerminalBackend"
    played = Round()
    client = leave_traces_everywhere(played.event)
    decision = leave_traces_of_reviews(played.event)
    traces = (*WALRUS, *WORDS, *REVIEWS)
    stranger = Client()
    stranger.force_login(make_user("walrus", email="1@mail.example"))
    LogEntry.objects.log_actions(played.organizer.pk, [played.organizer], CHANGE)
    stored = dump()
    assert "account_login" in stored
    assert [trace for trace in traces if trace not in stored] == []
    assert client.post("/account/leave/", {"sure": "yes"}).headers["Location"] == "/"
    left = dump() + files() + logged.getvalue() + "".join(capfd.readouterr())
    assert [trace for trace in traces if trace in left] == []
    assert "mail not sent" in left
    assert list(Decision.objects.all()) == [decision]
    assert "on-the-record" in left
    # Nobody else is signed out, and the admin's log keeps what is about others.
    assert stranger.get("/account/seat/").status_code == 200
    assert [entry.object_repr for entry in LogEntry.objects.all()] == ["organizer-of-it"]


@pytest.mark.django_db(transaction=True)
def test_whoever_reads_or_writes_meanwhile_only_delays_it() -> None:
    """SQLite's log file cannot be emptied under a reader: it is done later, and nobody waits."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's files are its own affair")
    trace, other = "quixotic-walrus", sqlite3.connect(connection.settings_dict["NAME"])
    other.isolation_level = None  # it says itself when a transaction begins
    user = make_user(trace)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM people_user").fetchone()
    erase_contributor(user, timezone.now())
    assert trace in files()
    other.execute("COMMIT")
    other.execute("BEGIN IMMEDIATE")
    empty_write_ahead_log()
    assert trace in files()
    other.close()
    finish_erasures(timezone.now())
    assert trace not in files()
