"""manage.py create_organizer."""

import io
import re

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from arena.events.joining.enrolling import join_event
from arena.events.models import Membership
from arena.people.models import User
from tests.factories import NOW, make_event, make_user

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_organizer", *arguments, stdout=out)
    return out.getvalue()


def test_the_printed_code_signs_in() -> None:
    event = make_event("fair")
    printed = run("olga", "--email", "olga@example.org", "--event", "fair")
    code = re.search(r"Access code: (\S+)", printed)
    assert code
    user = authenticate(None, username="olga", password=code[1].lower())
    assert isinstance(user, User)
    assert code[1] not in user.password
    assert user.emailaddress_set.get().email == "olga@example.org"
    assert Membership.objects.get().role == Membership.Role.ORGANIZER
    assert Membership.objects.get().event == event


def test_an_existing_user_becomes_organizer_without_a_new_code() -> None:
    make_event("fair")
    user = make_user("olga")
    printed = run("olga", "--event", "fair")
    assert "Access code" not in printed
    assert Membership.objects.get().user == user
    assert authenticate(None, username="olga", password="correct horse") == user


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["olga"], "already"),
        (["new", "--event", "nowhere"], "no event"),
        (["has space"], "valid username"),
        (["new", "--email", "nonsense"], "valid email"),
        (["new", "--email", "olga@example.org"], "another account"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(arguments: list[str], message: str) -> None:
    user = make_user("olga")
    user.emailaddress_set.create(email="Olga@example.org")
    with pytest.raises(CommandError, match=message):
        run(*arguments)
    assert User.objects.count() == 1


def test_a_contributor_is_not_made_organizer() -> None:
    event, user = make_event("fair"), make_user("olga")
    join_event(user, event, NOW, terms=1)
    with pytest.raises(CommandError, match="judges in fair"):
        run("olga", "--event", "fair")
    assert not Membership.objects.exists()
