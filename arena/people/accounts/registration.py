"""Creating an account with an access code, for people with a role and no seat."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.people.codes import draw_code
from arena.people.hashers import hash_code
from arena.people.models import User


def register_account(username: str, now: datetime) -> tuple[User, str]:
    """Create an account; returns it and its access code, which is stored as a hash only.

    Raises `ConflictError` ("name_taken") if the name has just been taken.
    """
    code = draw_code()
    try:
        # Closes the race of two people who choose one name: the caller's transaction goes on.
        with transaction.atomic():
            user = User.objects.create(username=username, password=hash_code(code), date_joined=now)
    except IntegrityError as error:
        raise ConflictError(
            _("This username was just taken. Choose another one."), "name_taken"
        ) from error
    return user, code
