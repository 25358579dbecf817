"""Doors that open: an invited reviewer reaches the desk, and a code is there after a reload."""

import re

import pytest
from playwright.sync_api import Page, expect

from arena.events.joining.enrolling import provision_event_seats
from arena.events.joining.invitations import invite
from arena.events.models import Invitation
from arena.people.models import Seat
from tests.browser.conftest import NewPage
from tests.factories import NOW, make_event

pytestmark = pytest.mark.django_db(transaction=True)
CODE = re.compile(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}")


def code_on(page: Page) -> str:
    found = CODE.search(page.locator("main").inner_text())
    assert found
    return found[0]


def test_an_invited_reviewer_without_an_account_reaches_the_desk(
    phone: Page, new_page: NewPage
) -> None:
    event = make_event("fair", is_private=True)
    token = invite(event, Invitation.Role.REVIEWER, NOW, by=None)[1]
    phone.goto(f"/invitations/{token}/")
    phone.get_by_label("Your name here").fill("Rita Meyer")
    phone.get_by_role("button", name="Accept and create my account").click()
    code = code_on(phone)
    phone.reload()
    assert code_on(phone) == code
    phone.get_by_role("button", name="I have saved it").click()
    expect(phone).to_have_url(re.compile("/events/fair/desk/$"))
    elsewhere = new_page()
    elsewhere.goto("/account/login/")
    elsewhere.get_by_label("Username or e-mail").fill("Rita-Meyer")
    elsewhere.get_by_label("Access code or password").fill(code)
    elsewhere.get_by_role("button", name="Sign in", exact=True).click()
    expect(elsewhere.get_by_role("link", name="Rita-Meyer")).to_be_visible()


def test_reloading_the_page_of_a_new_seat_shows_its_code_again(page: Page) -> None:
    event = make_event("fair")
    provision_event_seats(event, 1, Seat.Kind.OPEN, NOW)
    page.goto("/events/fair/join/")
    page.get_by_role("button", name="Accept and join").click()
    code = code_on(page)
    page.reload()
    assert code_on(page) == code
    page.get_by_role("button", name="I have saved it").click()
    expect(page.get_by_role("button", name="I have saved it")).to_have_count(0)
    page.wait_for_load_state()
    page.go_back()
    assert code not in page.content()
