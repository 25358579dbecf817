"""Messages wait in the database, leave once, and leave nothing behind: no row and no address."""

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMultiAlternatives, get_connection, send_mail
from django.db import transaction
from django.test import Client
from django.utils import timezone

from arena.people import outbox
from arena.people.account_deletion import delete_account
from arena.people.models import OutgoingMail
from arena.people.tasks import send_mails
from tests.factories import make_user
from tests.mail_server import HANG_UP, SILENCE, MailServer, write_certificate
from tests.threads import parallel_map

ADDRESS, CODE = "ada@mail.example", "QZX-7KM"
SECRETS = (ADDRESS, "mail.example", CODE)
SMTP = "django.core.mail.backends.smtp.EmailBackend"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def mail_settings(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages go through the outbox and by SMTP; the tasks that were asked for."""
    settings.EMAIL_BACKEND, settings.OUTBOX_BACKEND = outbox.__name__ + ".OutboxBackend", SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 0.5
    asked: list[str] = []
    monkeypatch.setattr(outbox.app, "send_task", lambda task, **_: asked.append(task))
    return asked


def write(address: str = ADDRESS) -> None:
    send_mail(f"Your code {CODE}", f"{CODE} is for {address}", "arena@site.example", [address])


def test_a_message_leaves_once_and_its_row_is_gone(settings: Any, mail_settings: list[str]) -> None:
    page = EmailMultiAlternatives("Hallo", "plain", "a@site.example", [ADDRESS, "b@mail.example"])
    page.attach_alternative("<p>rich</p>", "text/html")
    with MailServer() as server:
        settings.EMAIL_PORT = server.port
        with transaction.atomic():
            page.send()
            assert mail_settings == []  # nobody is told before it is committed
        assert mail_settings == [outbox.TASK]
        assert server.messages == []  # no page has talked to the server
        assert outbox.send_mails(timezone.now()) == 2
    assert "plain" in server.messages[0]
    assert "<p>rich</p>" in server.messages[0]
    assert not OutgoingMail.objects.exists()


def test_a_message_of_a_transaction_that_failed_does_not_exist() -> None:
    with suppress(RuntimeError), transaction.atomic():
        write()
        raise RuntimeError
    assert not OutgoingMail.objects.exists()


def test_two_workers_never_send_one_message_twice(settings: Any) -> None:
    for number in range(12):
        write(f"{number}@mail.example")
    with MailServer() as server:
        settings.EMAIL_PORT = server.port
        sent = parallel_map([partial(outbox.send_mails, timezone.now())] * 4, threads=4)
        assert sum(sent) == len(server.messages) == 12


def test_a_worker_that_died_with_a_message_is_followed_by_another(settings: Any) -> None:
    write()
    now = timezone.now()
    assert outbox.claim_mail(OutgoingMail.objects.get(), now)
    with MailServer() as server:
        settings.EMAIL_PORT = server.port
        assert outbox.send_mails(now) == 0
        assert outbox.send_mails(now + outbox.LEASE) == 1


def test_pauses_grow_and_end_after_a_day() -> None:
    write()
    now, tries = timezone.now(), 0
    while row := OutgoingMail.objects.first():
        now = max(now, row.next_try_at)
        outbox.send_mails(now)
        tries += 1
    assert 20 < tries < 40
    assert now > timezone.now() + outbox.KEPT - timedelta(hours=2)


def test_what_is_a_day_old_is_deleted_though_nobody_could_try() -> None:
    write()
    assert outbox.forget_mails(timezone.now()) == 0
    assert outbox.forget_mails(timezone.now() + outbox.KEPT + timedelta(seconds=5)) == 1
    assert not OutgoingMail.objects.exists()


def test_nothing_waits_for_somebody_who_has_left() -> None:
    user = make_user("ada", email=ADDRESS)
    EmailAddress.objects.create(user=user, email="Other@Mail.example")
    for address in (ADDRESS.upper(), "other@mail.example", "bob@mail.example"):
        write(address)
    delete_account(user)
    assert [row.address for row in OutgoingMail.objects.all()] == ["bob@mail.example"]


def test_signing_in_by_mail_goes_through_the_outbox(settings: Any) -> None:
    user = make_user("ada", email=ADDRESS)
    EmailAddress.objects.create(user=user, email=ADDRESS, verified=True, primary=True)
    reply = Client().post("/account/login/code/", {"email": ADDRESS}, follow=True)
    assert "on its way" in reply.content.decode()
    row = OutgoingMail.objects.get()
    assert (row.address, row.sender) == (ADDRESS, settings.DEFAULT_FROM_EMAIL)


# --- whatever a server says -------------------------------------------------------------------
@dataclass(frozen=True)
class Failure:
    """How a server disappoints, and what is made of it."""

    script: dict[str, str]
    reason: str
    is_final: bool = False
    has_certificate: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


WORDS = f"<{ADDRESS}> {CODE}: never heard of"
TLS = {"EMAIL_USE_TLS": True}
LOGIN = {"EMAIL_HOST_USER": ADDRESS, "EMAIL_HOST_PASSWORD": CODE}
OFFERS_LOGIN = {"EHLO": "250-here\r\n250 AUTH PLAIN"}
FAILURES = {
    "refuses connections": Failure({}, "ConnectionRefusedError", settings={"EMAIL_PORT": 1}),
    "says nothing": Failure({"connect": SILENCE}, "SMTPServerDisconnected"),
    "says nothing later": Failure({"RCPT": SILENCE}, "SMTPServerDisconnected"),
    "hangs up": Failure({"connect": HANG_UP}, "SMTPServerDisconnected"),
    "hangs up in mid-message": Failure({".": HANG_UP}, "SMTPServerDisconnected"),
    "421 at once": Failure({"connect": f"421 {WORDS}"}, "SMTPConnectError 421"),
    "421 to the recipient": Failure({"RCPT": f"421 {WORDS}"}, "SMTPRecipientsRefused 421"),
    "450": Failure({"RCPT": f"450 {WORDS}"}, "SMTPRecipientsRefused 450"),
    "451 to the message": Failure({".": f"451 {WORDS}"}, "SMTPDataError 451"),
    "452": Failure({"RCPT": f"452 {WORDS}"}, "SMTPRecipientsRefused 452"),
    "530 to the sender": Failure({"MAIL": f"530 {WORDS}"}, "SMTPSenderRefused 530"),
    "530 to the recipient": Failure({"RCPT": f"530 {WORDS}"}, "SMTPRecipientsRefused 530"),
    "535": Failure(
        OFFERS_LOGIN | {"AUTH": f"535 {WORDS}"}, "SMTPAuthenticationError 535", settings=LOGIN
    ),
    "550": Failure({"RCPT": f"550 {WORDS}"}, "SMTPRecipientsRefused 550", is_final=True),
    "551": Failure({"RCPT": f"551 {WORDS}"}, "SMTPRecipientsRefused 551", is_final=True),
    "552": Failure({"RCPT": f"552 {WORDS}"}, "SMTPRecipientsRefused 552", is_final=True),
    "552 to the message": Failure({".": f"552 {WORDS}"}, "SMTPDataError 552", is_final=True),
    "553": Failure({"RCPT": f"553 {WORDS}"}, "SMTPRecipientsRefused 553", is_final=True),
    "554": Failure({"DATA": f"554 {WORDS}"}, "SMTPDataError 554", is_final=True),
    "has no STARTTLS": Failure({}, "SMTPNotSupportedError", settings=TLS),
    "has a certificate of its own": Failure(
        {"EHLO": "250-here\r\n250 STARTTLS", "STARTTLS": "220 go"},
        "SSLCertVerificationError",
        has_certificate=True,
        settings=TLS,
    ),
    "speaks in tongues": Failure({"MAIL": f"{WORDS}"}, "SMTPSenderRefused"),
}


@pytest.mark.any_database
@pytest.mark.parametrize("name", FAILURES)
def test_no_failure_puts_an_address_or_a_code_into_a_log(
    name: str,
    settings: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    failure = FAILURES[name]
    certificate = write_certificate(tmp_path / "c.pem") if failure.has_certificate else None
    write()
    with MailServer(failure.script, certificate) as server, caplog.at_level(logging.DEBUG):
        settings.EMAIL_PORT = server.port
        for key, value in failure.settings.items():
            setattr(settings, key, value)
        assert send_mails.apply().successful()
    said = caplog.text + "".join(capfd.readouterr())
    assert failure.reason in said
    assert [secret for secret in SECRETS if secret in said] == []
    row = OutgoingMail.objects.first()
    assert (row is None) == failure.is_final
    if row is not None:
        assert row.attempts == 1
        assert row.next_try_at > timezone.now()
        assert failure.reason in row.last_error
        assert ADDRESS not in row.last_error


@pytest.mark.any_database
def test_the_search_would_find_what_an_exception_says(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    write()
    row = OutgoingMail.objects.get()
    message = EmailMultiAlternatives(row.subject, row.text, row.sender, [row.address])
    with MailServer(FAILURES["550"].script) as server:
        settings.EMAIL_PORT = server.port
        try:
            get_connection(SMTP).send_messages([message])
        except OSError:
            logging.getLogger("arena").exception("planted")
    assert [secret for secret in SECRETS if secret not in caplog.text] == []


@pytest.mark.any_database
def test_one_refused_recipient_does_not_keep_the_others(settings: Any) -> None:
    write()
    OutgoingMail.objects.update(address=f"{ADDRESS}\n", next_try_at=timezone.now() - timedelta(1))
    write("bob@mail.example")
    with MailServer() as server:
        settings.EMAIL_PORT = server.port
        assert outbox.send_mails(timezone.now()) == 1
    assert not OutgoingMail.objects.exists()
