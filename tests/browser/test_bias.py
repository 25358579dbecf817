"""The bias panel in a real browser: read by everybody, at every size, also where it is empty."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import DESKTOP, PHONE, NewPage
from tests.leaderboard.test_style_fit import dress
from tests.leaderboard.votes import Crowd, refresh, time_judgments

pytestmark = pytest.mark.django_db(transaction=True)
BOARD = "/events/tea/leaderboard/"
WIDE = "document.documentElement.scrollWidth <= innerWidth"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_panel_can_be_read_by_everybody(
    new_page: NewPage, axe: Callable[[Page], None], size: Any, scheme: str
) -> None:
    crowd, rng = Crowd(judges=14, slug="tea"), Random(1)
    page = new_page(**size, color_scheme=scheme)
    page.goto(BOARD)
    expect(page.get_by_text("this comes with the first board")).to_be_visible()
    axe(page)
    dress(crowd)
    crowd.vote()
    time_judgments(crowd.event, lambda judgment: rng.lognormvariate(3, 0.7))
    refresh(crowd.event)
    page.goto(BOARD)
    for title in ("Preference for a side", "Preference for length", "Ties"):
        shares = page.get_by_role("table", name=title)
        expect(shares.get_by_role("row")).to_have_count(1 + 4)
        assert shares.locator("tbody .plot .dot").count() == 4
    page.locator("#appearances-tables summary").press("Enter")
    expect(page.get_by_role("table", name="On the left, where half is expected")).to_be_visible()
    expect(page.get_by_role("region", name="By category")).to_be_visible()
    axe(page)
    assert page.evaluate(WIDE)
    left = page.get_by_role("table", name="Preference for a side")
    for row in left.locator("tbody tr").all():
        plot = row.locator("td.plot").bounding_box()
        assert plot
        assert plot["width"] > 150
