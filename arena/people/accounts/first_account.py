"""The first account of an empty site, created by a link printed where the site was started."""

import hmac
from datetime import datetime

from django.db import transaction

from arena.errors import NotFoundError
from arena.people.accounts.registration import register_account
from arena.people.codes import draw_token, hash_token
from arena.people.models import SetupLink, User


def needs_first_account() -> bool:
    """Whether there is no account except seats, which are for contributors."""
    return not User.objects.filter(seat=None).exists()


def make_setup_link(now: datetime) -> str:
    """Create a setup link and return its token, which is not stored; earlier links stop working."""
    token = draw_token()
    # One transaction, so that two links are never valid at once.
    with transaction.atomic():
        SetupLink.objects.all().delete()
        SetupLink.objects.create(token_hash=hash_token(token), created_at=now)
    return token


def check_setup_link(token: str) -> SetupLink:
    """The link with this token. Raises `NotFoundError` once there is an account."""
    sought = hash_token(token)
    # Compared in constant time: the time of a database look-up may reveal a common prefix.
    links = [link for link in SetupLink.objects.all() if is_same(link.token_hash, sought)]
    if not links or not needs_first_account():
        raise NotFoundError
    return links[0]


def is_same(known: str, sought: str) -> bool:
    """Whether two hashes are equal, compared in constant time."""
    return hmac.compare_digest(known, sought)


def create_first_account(token: str, username: str, now: datetime) -> tuple[User, str]:
    """Create the first account; returns it and its access code. The link is used up.

    Raises `NotFoundError` if the link is unknown or has been used.
    """
    link = check_setup_link(token)
    # Closes the race of two people with one link: one of them deletes it. The account and the
    # end of the link come together.
    with transaction.atomic():
        _total, deleted = SetupLink.objects.filter(pk=link.pk).delete()
        if not deleted:
            raise NotFoundError
        return register_account(username, now)
