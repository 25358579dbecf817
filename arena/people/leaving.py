"""Deleting an account with everything that tells who it was."""

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session

from arena.people.models import User


def delete_account(user: User) -> None:
    """Delete the user: seat, addresses, social identities and second factors go with the row.

    What others wrote about the account in the admin's log goes too. The caller has freed what is
    to stay (enrollments), and does all of it in one transaction.
    """
    end_sessions(user)
    LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk)
    ).delete()
    user.delete()


def end_sessions(user: User) -> int:
    """Delete every session of this user: they hold the name and address used to sign in.

    Sessions do not name their user in a column, so all are read: about two seconds for 30,000.
    """
    key = str(user.pk)
    theirs = [
        session.pk
        for session in Session.objects.iterator(chunk_size=1000)
        if session.get_decoded().get(SESSION_KEY) == key
    ]
    deleted, _ = Session.objects.filter(pk__in=theirs).delete()
    return deleted
