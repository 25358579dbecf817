"""Deleting an account with everything that identifies its owner."""

import re
from collections.abc import Iterator

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Model
from django.utils.http import int_to_base36

from arena.people.models import User
from arena.people.outbox import erase_mails

BATCH_SIZE = 1000


def delete_account(user: User) -> None:
    """Delete the user with their seat, addresses, social identities and second factors, and the
    messages that wait for them.

    Entries about the account in the admin's log are deleted too. The caller has detached what is to
    stay (enrollments), and does all of it in one transaction.
    """
    end_sessions(user)
    erase_mails(list_addresses(user))
    user.delete()
    delete_admin_log_entries()


def end_sessions(user: User) -> int:
    """Delete every session that mentions this user: their own, and those waiting for a code.

    Sessions have no column for the user, so all are read: about two seconds for 30,000.
    """
    named, addresses = list_session_marks(user), compile_address_pattern(user)
    theirs = [
        session.pk
        for session in Session.objects.iterator(chunk_size=BATCH_SIZE)
        if any(
            mark in named or (addresses and addresses.search(mark[1]))
            for mark in iter_session_values(session.get_decoded())
        )
    ]
    for start in range(0, len(theirs), BATCH_SIZE):
        Session.objects.filter(pk__in=theirs[start : start + BATCH_SIZE]).delete()
    return len(theirs)


def list_session_marks(user: User) -> set[tuple[str, str]]:
    """The (key, value) pairs that refer to this user in sessions of Django and allauth."""
    number = str(user.pk)
    identities = SocialAccount.objects.filter(user=user).values_list("uid", flat=True)
    return {
        (SESSION_KEY, number),
        ("user_id", number),
        ("account_authentication_methods_user", number),
        ("user_pk", int_to_base36(user.pk)),
        ("username", user.username),
        *(("uid", uid) for uid in identities),
    }


def compile_address_pattern(user: User) -> re.Pattern[str] | None:
    """A pattern for the user's addresses in any case; None if there are none."""
    found = "|".join(map(re.escape, list_addresses(user)))
    return re.compile(rf"(?<![\w.+-])(?:{found})(?![\w-])", re.IGNORECASE) if found else None


def list_addresses(user: User) -> set[str]:
    """The user's addresses as they are stored."""
    stored = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    return {user.email, *stored} - {""}


def iter_session_values(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every value in a session, at any depth, with its key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from iter_session_values(inner, str(name))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from iter_session_values(inner, key)
    else:
        yield key, str(value)


def delete_admin_log_entries() -> None:
    """Delete the admin's log entries about accounts, and related objects, that no longer exist.

    An entry holds the name or address of its object. For addresses removed before leaving, it is
    the only remaining trace.
    """
    models: list[type[Model]] = [User]
    models += [relation.related_model for relation in User._meta.related_objects]
    for model in models:
        entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
        told = set(entries.exclude(object_id=None).values_list("object_id", flat=True))
        there = model._base_manager.filter(pk__in=told).values_list("pk", flat=True)
        entries.filter(object_id__in=told - {str(key) for key in there}).delete()


def empty_write_ahead_log() -> None:
    """Truncate SQLite's write-ahead log, which keeps earlier versions of overwritten rows.

    Writers wait meanwhile, so it gives up after a second if others are reading; it is called again.
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 1000")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute(f"PRAGMA busy_timeout = {patience}")
