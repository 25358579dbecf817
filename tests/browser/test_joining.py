"""From a link to the first matchup, back on another device, and away for good."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from arena.events.joining.enrolling import provision_event_seats
from arena.events.models import Enrollment, Event, Membership
from arena.people.models import Seat, User
from tests.browser.conftest import PHONE, NewPage
from tests.factories import (
    make_competitors,
    make_event,
    make_matchups,
    make_membership,
    make_user,
)

pytestmark = pytest.mark.django_db(transaction=True)
Check = Callable[[Page], None]


@pytest.fixture
def event() -> Event:
    event = make_event("tea")
    pair = make_competitors(event, 2)
    make_matchups(event, pair, 3)
    return event


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    page.wait_for_load_state("load")


def test_a_visitor_is_judging_after_three_buttons_and_comes_back_elsewhere(
    event: Event, phone: Page, new_page: NewPage, axe: Check
) -> None:
    provision_event_seats(event, 1, Seat.Kind.OPEN, timezone.now())
    phone.goto("/events/tea/join/")
    assert phone.locator(":checked").count() == 0
    axe(phone)
    press(phone, "Accept and join")
    axe(phone)
    name, code = (phone.locator(".secret dd > span").nth(place).inner_text() for place in (0, 1))
    press(phone, "I have saved it")
    press(phone, "I have read this")
    expect(phone.locator("#answer")).to_be_visible()

    elsewhere = new_page()
    elsewhere.goto("/account/login/?next=/events/tea/judge/")
    elsewhere.get_by_label("Username or e-mail").fill(name)
    elsewhere.get_by_label("Access code or password").fill(code.lower().replace("-", " "))
    press(elsewhere, "Sign in")
    expect(elsewhere.locator("#answer")).to_be_visible()
    assert Enrollment.objects.count() == 1


def test_the_link_of_a_printed_seat_needs_two_buttons(event: Event, phone: Page) -> None:
    (slip,) = provision_event_seats(event, 1, Seat.Kind.PRINTED, timezone.now())
    phone.goto(f"/seats/{slip.token}/")
    expect(phone.get_by_text(slip.username)).to_be_visible()
    press(phone, "Accept and join")
    press(phone, "I have read this")
    expect(phone.locator("#answer")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_account_pages_are_accessible_and_fit_a_phone(
    event: Event, new_page: NewPage, sign_in: Callable[..., None], axe: Check, scheme: str
) -> None:
    page = new_page(**PHONE, color_scheme=scheme)
    organizer = make_membership(event, make_user(), Membership.Role.ORGANIZER).user
    sign_in(page, organizer)
    for url in ("/account/seat/", "/account/leave/", "/events/tea/people/", "/events/tea/join/"):
        page.goto(url)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, url
    page.goto("/events/tea/people/")
    page.get_by_label("Role").select_option("reviewer")
    press(page, "Create a link")
    link = page.get_by_label("Invitation link").input_value()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    guest = new_page(**PHONE, color_scheme=scheme)
    sign_in(guest, make_user())
    guest.goto(link)
    axe(guest)
    press(guest, "Accept")
    assert event.memberships.filter(role="reviewer").count() == 1


def test_a_long_name_leaves_room_to_sign_out(phone: Page, sign_in: Callable[..., None]) -> None:
    sign_in(phone, make_user("somebody-with-a-name-that-goes-on-and-on-and-on"))
    phone.goto("/account/seat/")
    links = phone.locator(".site-head nav a")
    heights = {links.nth(place).bounding_box()["height"] for place in range(links.count())}
    assert len(heights) == 1
    assert heights.pop() < 30  # a line each
    name, out = phone.locator(".site-head .who"), phone.get_by_role("link", name="Sign out")
    assert name.evaluate("each => each.scrollWidth > each.clientWidth")
    assert out.evaluate("each => each.scrollWidth <= each.clientWidth + 1")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_full_event_is_told_kindly(event: Event, phone: Page, axe: Check) -> None:
    provision_event_seats(event, 1, Seat.Kind.OPEN, timezone.now())
    Seat.objects.update(claimed_at=timezone.now())
    phone.goto("/events/tea/join/")
    expect(phone.get_by_text("All open seats are taken")).to_be_visible()
    axe(phone)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_waiting_page_turns_into_the_door_by_itself(
    event: Event, new_page: NewPage, axe: Check, scheme: str
) -> None:
    provision_event_seats(event, 1, Seat.Kind.OPEN, timezone.now())
    Seat.objects.update(claimed_at=timezone.now())
    phone = new_page(**PHONE, color_scheme=scheme)
    phone.clock.install()
    phone.goto("/events/tea/join/")
    press(phone, "Join the waiting list")
    expect(phone.get_by_text("You are number 1 in line.")).to_be_visible()
    axe(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    Seat.objects.update(claimed_at=None)
    phone.clock.fast_forward(21_000)
    expect(phone.get_by_text("A seat is free, and kept for you")).to_be_visible()
    expect(phone).to_have_title("Your seat is ready · Crowd Arena")
    axe(phone)
    press(phone, "Accept and join")
    expect(phone.get_by_text("Save your access code")).to_be_visible()


def test_leaving_takes_a_box_and_a_button(
    event: Event, page: Page, sign_in: Callable[..., None]
) -> None:
    user = make_user("leaver")
    sign_in(page, user)
    page.goto("/account/leave/")
    page.get_by_role("checkbox").check()
    press(page, "Leave and erase")
    expect(page.get_by_text("You have left.")).to_be_visible()
    assert not User.objects.filter(username="leaver").exists()
