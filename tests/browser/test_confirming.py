"""A step that cannot be undone asks once: in a dialog, and without JavaScript on a page."""

from collections.abc import Callable

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from playwright.sync_api import Page, expect

from arena.events.joining.enrolling import provision_event_seats
from arena.events.models import Event
from arena.people.models import Seat
from tests.browser.conftest import NewPage
from tests.factories import NOW, make_competitors, make_event, make_matchup, make_user

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Page, AbstractBaseUser], None]
Axe = Callable[[Page], None]


@pytest.fixture
def event() -> Event:
    event = make_event("fair", organizer=make_user("olga"))
    make_matchup(event, make_competitors(event, 2))
    return event


def organizer_of(event: Event) -> AbstractBaseUser:
    return event.memberships.get().user


def test_closing_asks_in_a_dialog(phone: Page, event: Event, sign_in: SignIn, axe: Axe) -> None:
    sign_in(phone, organizer_of(event))
    phone.goto("/events/fair/desk/")
    press = phone.get_by_role("button", name="Close the event now").first
    press.click()
    dialog = phone.get_by_role("dialog")
    expect(dialog).to_contain_text("A closed event cannot be opened again.")
    axe(phone)
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_have_count(0)
    press.click()
    expect(dialog).to_be_visible()
    phone.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    event.refresh_from_db()
    assert event.state == Event.State.OPEN
    press.click()
    dialog.get_by_role("button", name="Close the event now").click()
    expect(phone.get_by_text("The event is closed.")).to_be_visible()
    event.refresh_from_db()
    assert event.state == Event.State.CLOSED


def test_closing_asks_on_a_page_without_javascript(
    new_page: NewPage, event: Event, sign_in: SignIn
) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, organizer_of(event))
    page.goto("/events/fair/desk/")
    page.get_by_role("button", name="Close the event now").click()
    expect(page.get_by_role("heading", name="Close the event now?")).to_be_visible()
    event.refresh_from_db()
    assert event.state == Event.State.OPEN
    page.get_by_role("button", name="Close the event now").click()
    event.refresh_from_db()
    assert event.state == Event.State.CLOSED


def test_a_refused_form_says_so_without_a_question(
    page: Page, event: Event, sign_in: SignIn
) -> None:
    sign_in(page, organizer_of(event))
    Event.objects.update(state=Event.State.DRAFT)
    event.guidelines.all().delete()
    page.goto("/events/fair/desk/")
    page.get_by_role("button", name="Open the event").click()
    expect(page.get_by_role("status").filter(has_text="Write the guidelines.")).to_be_visible()


def test_a_reissued_sheet_downloads_and_the_dialog_closes(
    page: Page, event: Event, sign_in: SignIn
) -> None:
    provision_event_seats(event, 2, Seat.Kind.PRINTED, NOW)
    sign_in(page, organizer_of(event))
    page.goto("/events/fair/desk/seats/")
    page.get_by_role("button", name="Reissue unclaimed codes").click()
    with page.expect_download():
        page.get_by_role("dialog").get_by_role("button", name="Reissue the codes").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
