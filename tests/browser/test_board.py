"""Reading the board in a real browser while people judge."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from leaderboard.models import Snapshot
from tests.browser.conftest import PHONE, NewPage
from tests.factories import NOW, make_enrollment, make_matchup
from tests.leaderboard.votes import Crowd, make_vote, refresh

pytestmark = pytest.mark.django_db(transaction=True)
POLL = "/events/tea/leaderboard/"


@pytest.fixture
def crowd() -> Crowd:
    crowd = Crowd(slug="tea")
    crowd.vote()
    refresh(crowd.event)
    return crowd


def one_more(crowd: Crowd) -> None:
    make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    refresh(crowd.event)


def test_an_open_page_follows_without_a_jump(page: Page, crowd: Crowd) -> None:
    """The first poll finds nothing new; after a judgment the page changes in its place."""
    page.goto(POLL)
    with page.expect_response(lambda response: POLL in response.url, timeout=15_000) as polled:
        pass
    assert polled.value.status == 304
    page.locator("#over-time-table summary").click()
    page.locator("#category-2").focus()
    page.evaluate("scrollTo(0, 300)")
    before = page.locator(".ranking").first.bounding_box()

    one_more(crowd)

    expect(page.get_by_text("139 judgments")).to_be_visible(timeout=15_000)
    assert page.locator(".ranking").first.bounding_box() == before
    expect(page.locator("#category-2")).to_be_focused()
    expect(page.locator("#over-time-table")).to_have_attribute("open", "")
    with page.expect_response(lambda response: POLL in response.url, timeout=15_000) as polled:
        pass
    assert polled.value.status == 304


def test_a_phone_shows_everything_without_scrolling_aside(phone: Page, crowd: Crowd) -> None:
    phone.goto(POLL)
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]
    for row in phone.locator(".ranking tbody tr:not(.tier)").all():
        plot = row.locator("td.plot").bounding_box()
        assert plot
        assert plot["width"] > 200
        expect(row.locator(".rating")).to_be_in_viewport(ratio=0)
    for name in ("Win rate", "Elo", "Votes"):
        expect(phone.locator(".fact span", has_text=name).first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(
    new_page: NewPage, crowd: Crowd, axe: Callable[[Page], None], scheme: str
) -> None:
    for options in ({}, PHONE):
        page = new_page(color_scheme=scheme, **options)
        for address in (POLL, f"{POLL}?weighting=weighted&category=maths", "/events/tea/method/"):
            page.goto(address)
            axe(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_darkest_cells_can_be_read(
    new_page: NewPage, crowd: Crowd, axe: Callable[[Page], None], scheme: str
) -> None:
    """One model wins nearly all of its votes, and figures have two digits."""
    for judge in crowd.judges:
        for _ in range(12):
            make_vote(judge, make_matchup(crowd.event, crowd.models[:2]), 1)
    refresh(crowd.event, NOW + timedelta(minutes=1))
    page = new_page(color_scheme=scheme)
    page.goto(POLL)
    expect(page.locator(".heat :is(.h7, .h8, .h9)").first).to_be_visible()
    page.locator("#other-ways summary").click()
    axe(page)


def test_filters_and_downloads_work_without_a_mouse(page: Page, crowd: Crowd) -> None:
    page.goto(POLL)
    page.locator("#category-2").press("Enter")
    expect(page).to_have_url(re.compile(r"\?category=maths$"))
    with page.expect_download() as download:
        page.locator("#csv").press("Enter")
    assert download.value.suggested_filename == "tea-leaderboard.csv"


def test_a_page_opened_before_the_first_judgment_comes_alive(page: Page, client: Client) -> None:
    crowd = Crowd(slug="tea")
    page.goto(POLL)
    expect(page.get_by_text("No ranking yet")).to_be_visible()
    crowd.vote()
    refresh(crowd.event, NOW)
    assert Snapshot.objects.count() == 1
    expect(page.get_by_text("138 judgments")).to_be_visible(timeout=15_000)
