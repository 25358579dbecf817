"""Making printed seats in a browser: the sheet arrives, and the page counts them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from arena.events.models import Event
from tests.factories import make_event, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_after_making_seats_the_page_no_longer_says_made_0(
    page: Page, sign_in: Callable[..., None], tmp_path: Path
) -> None:
    organizer = make_user()
    make_event("tea", organizer=organizer, state=Event.State.DRAFT)
    sign_in(page, organizer)
    page.goto("/events/tea/desk/seats/")
    made = page.locator("section", has=page.locator("#printed-seats")).locator("dd").first
    expect(made).to_have_text("0")
    page.get_by_label("Printed seats").fill("7")
    with page.expect_download() as download:
        page.get_by_role("button", name="Create and download the sheet").click()
    assert download.value.suggested_filename == "tea-seats.zip"
    download.value.save_as(tmp_path / "sheet.zip")
    assert (tmp_path / "sheet.zip").read_bytes().startswith(b"PK")
    expect(made).to_have_text("7")


def test_too_many_seats_are_refused_with_a_word(page: Page, sign_in: Callable[..., None]) -> None:
    organizer = make_user()
    make_event("tea", organizer=organizer, state=Event.State.DRAFT)
    sign_in(page, organizer)
    page.goto("/events/tea/desk/seats/")
    page.get_by_label("Printed seats").evaluate(
        "box => { box.removeAttribute('max'); box.value = 9999; }"
    )
    page.get_by_role("button", name="Create and download the sheet").click()
    expect(page.get_by_text("less than or equal to 5000")).to_be_visible()


def test_a_new_event_begins_in_the_visitors_time_zone(
    new_page: Callable[..., Page], sign_in: Callable[..., None]
) -> None:
    organizer = make_user()
    for zone in ("Asia/Kolkata", "Asia/Calcutta", "Pacific/Chatham"):
        page = new_page(timezone_id=zone)
        sign_in(page, organizer)
        page.goto("/new/")
        here = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
        assert page.get_by_label("Time zone", exact=True).input_value() == here


def test_domains_are_asked_for_once_the_event_is_private(
    page: Page, sign_in: Callable[..., None]
) -> None:
    sign_in(page, make_user())
    page.goto("/new/")
    domains = page.get_by_label("Allowed e-mail domains")
    expect(domains).to_be_hidden()
    page.get_by_label("Private").check()
    expect(domains).to_be_visible()
