"""The admin: behind the common sign-in, with a second factor."""

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from arena.people.models import Seat, SeatPool, User
from arena.people.seats.provisioning import provision_seats
from tests.factories import NOW, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def staff() -> User:
    return make_user("admin", is_staff=True, is_superuser=True)


def give_second_factor(user: User) -> None:
    Authenticator.objects.create(
        user=user,
        type=Authenticator.Type.TOTP,
        data={"secret": get_adapter().encrypt(SECRET)},
    )


def test_visitors_are_sent_to_the_common_sign_in(client: Client) -> None:
    # The admin has no password form of its own that a limit could forget.
    location = client.get("/admin/", follow=True).redirect_chain[-1][0]
    assert location.startswith("/account/login/")
    assert client.post("/admin/login/", {"username": "a", "password": "b"}).status_code == 302


def test_others_are_refused(client: Client) -> None:
    client.force_login(make_user())
    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get("/admin/people/user/", follow=True).status_code == 403


def test_staff_without_a_second_factor_set_one_up_first(client: Client, staff: User) -> None:
    client.force_login(staff)
    response = client.get("/admin/people/user/", follow=True)
    assert response.redirect_chain[-1][0] == "/account/2fa/"


def test_staff_sign_in_with_password_and_second_factor(
    client: Client, staff: User, still_seconds: int
) -> None:
    give_second_factor(staff)
    first = client.post("/account/login/", {"login": "admin", "password": "correct horse"})
    assert first.headers["Location"].startswith("/account/2fa/authenticate/")
    assert client.get("/admin/").status_code == 302  # half signed in is not signed in
    code = format_hotp_value(hotp_value(SECRET, still_seconds // 30))
    client.post("/account/2fa/authenticate/", {"code": code})
    assert client.get("/admin/").status_code == 200


def test_accounts_pools_and_seats_are_there_but_no_hash_of_a_link(
    client: Client, staff: User
) -> None:
    give_second_factor(staff)
    client.force_login(staff)
    provision_seats(SeatPool.objects.create(name="hall"), 1, Seat.Kind.PRINTED, NOW)
    seat = Seat.objects.get()
    for url in (
        "/admin/people/user/",
        f"/admin/people/user/{staff.pk}/change/",
        "/admin/people/seatpool/",
        "/admin/people/seat/",
        f"/admin/people/seat/{seat.pk}/change/",
    ):
        response = client.get(url)
        assert response.status_code == 200
        assert str(seat.link_hash) not in response.content.decode()
    assert client.get("/admin/people/seat/add/").status_code == 403
    assert client.post(f"/admin/people/seat/{seat.pk}/delete/").status_code == 403
