"""The first account of an empty site: by a link that is printed where the site was started."""

import hmac
from datetime import datetime

from django.db import transaction

from arena.errors import NotFoundError
from arena.people.accounts.registration import register_account
from arena.people.codes import draw_token, hash_token
from arena.people.models import SetupLink, User


def needs_first_account() -> bool:
    """Whether nobody has an account of their own yet: seats are made for contributors."""
    return not User.objects.filter(seat=None).exists()


def make_setup_link(now: datetime) -> str:
    """A fresh token for the link, which is stored nowhere; earlier links lead nowhere from now."""
    token = draw_token()
    # The old link goes as the new one comes: no two are ever good at once.
    with transaction.atomic():
        SetupLink.objects.all().delete()
        SetupLink.objects.create(token_hash=hash_token(token), created_at=now)
    return token


def check_setup_link(token: str) -> SetupLink:
    """The link with this token. Raises `NotFoundError` once somebody has an account."""
    sought = hash_token(token)
    # Compared in constant time: a database's look-up may tell how far two hashes agree.
    links = [link for link in SetupLink.objects.all() if is_same(link.token_hash, sought)]
    if not links or not needs_first_account():
        raise NotFoundError
    return links[0]


def is_same(known: str, sought: str) -> bool:
    """Whether two hashes are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(known, sought)


def create_first_account(token: str, username: str, now: datetime) -> tuple[User, str]:
    """The account and its access code; the link is used up with it.

    Raises `NotFoundError` where the link is none, or somebody else has used it.
    """
    link = check_setup_link(token)
    # Closes the race of two people with one link: one of them deletes it. The account and the
    # end of the link come together.
    with transaction.atomic():
        _total, deleted = SetupLink.objects.filter(pk=link.pk).delete()
        if not deleted:
            raise NotFoundError
        return register_account(username, now)
