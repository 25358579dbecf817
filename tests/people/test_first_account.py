"""The first account of an empty site: the link that `make run` prints."""

import io
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from arena.errors import NotFoundError
from arena.events.joining.enrolling import provision_event_seats
from arena.logs import hide_tokens
from arena.people.accounts.first_account import create_first_account, is_same, make_setup_link
from arena.people.models import Seat, SetupLink, User
from tests.factories import NOW, make_event, make_user

pytestmark = pytest.mark.django_db


def announce() -> str:
    out = io.StringIO()
    call_command("announce", stdout=out)
    return out.getvalue()


def link_in(printed: str) -> str:
    found = re.search(rf"{settings.SITE_URL}(/account/first/[\w-]+/)", printed)
    return found[1] if found else ""


def shown(response: Any) -> str:
    return response.content.decode()


def test_an_empty_site_says_how_to_get_the_first_account(client: Client) -> None:
    path = link_in(announce())
    assert "Create my account" in shown(client.get(path))
    response = client.post(path, {"username": "ada"}, follow=True)
    assert re.search(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}", shown(response))
    assert "ada" in shown(response)
    onward = client.post("/account/seat/saved/", {"next": "/new/"}, follow=True)
    assert "New event" in shown(onward)


def test_a_site_with_an_account_says_where_it_is_and_no_more() -> None:
    make_user("olga")
    printed = announce()
    assert printed.startswith(f"Crowd Arena is on {settings.SITE_URL}/")
    assert not link_in(printed)
    assert not SetupLink.objects.exists()


def test_the_front_page_of_a_new_site_says_where_the_link_is(client: Client) -> None:
    assert "This site is new." in shown(client.get("/"))
    make_user("olga")
    assert "This site is new." not in shown(client.get("/"))


def test_seats_are_nobodys_account_of_their_own() -> None:
    provision_event_seats(make_event("fair"), 2, Seat.Kind.PRINTED, NOW)
    assert link_in(announce())


def test_the_link_works_once(client: Client) -> None:
    path = link_in(announce())
    client.post(path, {"username": "ada"})
    other = Client()
    assert other.get(path).status_code == 404
    assert other.post(path, {"username": "eve"}).status_code == 404
    assert [user.username for user in User.objects.all()] == ["ada"]


def test_going_back_from_the_code_leads_to_the_code_again(client: Client) -> None:
    path = link_in(announce())
    client.post(path, {"username": "ada"})

    assert client.get(path)["Location"] == "/account/seat/code/"
    assert client.post(path, {"username": "eve"})["Location"] == "/account/seat/code/"

    client.post("/account/seat/saved/")
    assert client.get(path).status_code == 404
    assert User.objects.count() == 1


def test_the_link_ends_once_somebody_has_an_account_by_other_means(client: Client) -> None:
    path = link_in(announce())
    call_command("create_organizer", "grace", stdout=io.StringIO())
    assert client.get(path).status_code == 404
    assert client.post(path, {"username": "eve"}).status_code == 404
    assert not User.objects.filter(username="eve").exists()


def test_only_in_the_foreground_does_ctrl_c_stop_it() -> None:
    assert "Ctrl-C" not in announce()
    out = io.StringIO()
    call_command("announce", foreground=True, stdout=out)
    assert "Ctrl-C stops it." in out.getvalue()


def test_a_new_start_prints_a_new_link_and_the_old_one_ends(client: Client) -> None:
    first, second = link_in(announce()), link_in(announce())
    assert first != second
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200


def test_a_guess_leads_nowhere(client: Client) -> None:
    announce()
    assert client.get("/account/first/AAAAAAAAAAAAAAAAAAAAAA/").status_code == 404


def test_of_two_who_use_it_at_once_one_gets_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = make_setup_link(NOW)
    found = SetupLink.objects.get()
    monkeypatch.setattr("arena.people.accounts.first_account.check_setup_link", lambda token: found)
    create_first_account(token, "ada", NOW)
    with pytest.raises(NotFoundError):
        create_first_account(token, "eve", NOW)
    assert User.objects.count() == 1


def test_a_name_that_cannot_be_is_said_and_costs_no_link(client: Client) -> None:
    path = link_in(announce())
    response = client.post(path, {"username": "a/b"})
    assert response.status_code == 422
    assert 'class="field-error"' in shown(response)
    assert client.get(path).status_code == 200


def test_the_token_is_kept_and_logged_nowhere() -> None:
    token = link_in(announce()).split("/")[-2]
    assert token not in str(SetupLink.objects.values())
    line = hide_tokens(None, "", {"event": f"Not Found: /account/first/{token}/"})
    assert line["event"] == "Not Found: /account/first/…/"


def test_hashes_are_compared_in_constant_time() -> None:
    assert is_same("ab", "ab")
    assert not is_same("ab", "aa")
