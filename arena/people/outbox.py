"""Mail: written into the database in the transaction of what it tells, and sent by a worker.

No page waits for a mail server, and a message whose transaction fails does not exist. Rows are gone
once they are sent, given up, a day old, or their recipient has left.
"""

import smtplib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Lower
from django.utils import timezone

from arena.celery import app, send_soon
from arena.people.models import OutgoingMail

log = structlog.get_logger(__name__)

KEPT = timedelta(days=1)
# Before the second try, the third and so on; the last one again and again.
PAUSES = tuple(timedelta(seconds=each) for each in (5, 15, 60, 300, 900, 3600))
# Longer than the task may run that sends: after that whoever took a message is dead.
LEASE = timedelta(minutes=2)
# Taken in one run of the task; the next run goes on.
MAX_MESSAGES = 200
# Replies that are about this site's own account with the mail server, whoever the recipient is.
OWN_CODES = frozenset({530, 534, 535, 538})
TASK = "arena.people.tasks.send_mails"


class OutboxBackend(BaseEmailBackend):
    """Django's `EMAIL_BACKEND`: a message becomes a row for each recipient."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the messages down and tell a worker; returns how many. Attachments are refused."""
        now = timezone.now()
        rows = [row for message in email_messages for row in build_rows(message, now)]
        OutgoingMail.objects.bulk_create(rows)
        if rows:
            transaction.on_commit(partial(send_soon, partial(app.send_task, TASK, expires=60)))
        return len(email_messages)


def build_rows(message: EmailMessage, now: datetime) -> Iterable[OutgoingMail]:
    """A row for each recipient of a message."""
    if message.attachments or message.content_subtype != "plain":
        raise ValueError("the outbox takes plain text, and HTML beside it")
    pages = [str(one.content) for one in getattr(message, "alternatives", [])]
    for address in message.recipients():
        yield OutgoingMail(
            address=address,
            sender=message.from_email,
            subject=str(message.subject),
            text=str(message.body),
            html=pages[0] if pages else "",
            created_at=now,
            next_try_at=now,
        )


# --- sending ----------------------------------------------------------------------------------
class SendingError(Exception):
    """A message did not leave. It names the kind of failure and nothing that the server said."""

    def __init__(self, error: Exception) -> None:
        code = read_code(error)
        super().__init__(f"{type(error).__name__} {code}" if code else type(error).__name__)
        is_malformed = isinstance(error, ValueError) and not isinstance(error, OSError)
        is_refused = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
        # It will not leave an hour later either.
        self.is_final = is_malformed or (is_refused and code >= 500 and code not in OWN_CODES)
        # Whoever else waits may have better luck.
        self.is_of_message = is_malformed or (is_refused and code not in {421, *OWN_CODES})


def read_code(error: Exception) -> int:
    """The reply code of SMTP behind an error; 0 where there is none."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max((code for code, _words in error.recipients.values()), default=0)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0


def send_mails(now: datetime, is_over: Callable[[], bool] = lambda: False) -> int:
    """Send what is due until it is over; returns how many messages left.

    Where the server itself does not answer, the rest waits for the next run.
    """
    sent = 0
    connection = get_connection(settings.OUTBOX_BACKEND)
    due = OutgoingMail.objects.filter(next_try_at__lte=now).order_by("next_try_at", "pk")
    try:
        for mail in due[:MAX_MESSAGES]:
            if is_over() or not claim_mail(mail, now):
                continue
            try:
                send_mail(mail, connection)
            except SendingError as error:
                note_failure(mail, error, now)
                hang_up(connection)
                if not error.is_of_message:
                    break
            else:
                mail.delete()
                sent += 1
    finally:
        hang_up(connection)
    return sent


def claim_mail(mail: OutgoingMail, now: datetime) -> bool:
    """Take a message; False if another worker has."""
    same = OutgoingMail.objects.filter(pk=mail.pk, next_try_at=mail.next_try_at)
    # Closes the race of two workers: one of them changes the row.
    return bool(same.update(next_try_at=now + LEASE, attempts=F("attempts") + 1))


def send_mail(mail: OutgoingMail, connection: BaseEmailBackend) -> None:
    """Send one message. Raises `SendingError`."""
    message = EmailMultiAlternatives(mail.subject, mail.text, mail.sender, [mail.address])
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    try:
        connection.open()
        connection.send_messages([message])
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # noqa: BLE001 - any error may quote the message or its address
        raise SendingError(error) from None


def hang_up(connection: BaseEmailBackend) -> None:
    """End the conversation, whatever the server says to that."""
    with suppress(OSError):
        connection.close()


def note_failure(mail: OutgoingMail, error: SendingError, now: datetime) -> None:
    """Give a message up, or try again after a while that grows."""
    attempt = mail.attempts + 1
    pause = PAUSES[min(attempt, len(PAUSES)) - 1]
    if error.is_final or now + pause > mail.created_at + KEPT:
        mail.delete()
        log.error("mail given up", mail_id=mail.pk, attempts=attempt, reason=str(error))
        return
    OutgoingMail.objects.filter(pk=mail.pk).update(next_try_at=now + pause, last_error=str(error))
    tell = log.warning if error.is_of_message else log.error  # of a server that fails everybody
    tell("mail not sent", mail_id=mail.pk, attempts=attempt, reason=str(error))


def forget_mails(now: datetime) -> int:
    """Delete what has waited for a day, sent or not; returns how many messages that were."""
    forgotten = OutgoingMail.objects.filter(created_at__lt=now - KEPT).delete()[0]
    if forgotten:
        log.error("mail given up", messages=forgotten, reason="a day old")
    return forgotten


def erase_mails(addresses: Iterable[str]) -> None:
    """Delete what waits for these addresses, in whatever letter case."""
    lowered = {address.lower() for address in addresses}
    OutgoingMail.objects.alias(lowered=Lower("address")).filter(lowered__in=lowered).delete()
