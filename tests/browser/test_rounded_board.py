"""The board of a running event that hides its controls, and the one for those who look after it."""

from itertools import product
from typing import Any

from django.urls import reverse

from arena.events.models import Membership
from tests.browsing import DESKTOP, PHONE, NewPage
from tests.factories import make_membership, make_user
from tests.leaderboard.test_rounded_board import LargeCrowd


def test_rounded_figures_can_be_read_by_everybody(
    transactional_db: None, new_page: NewPage, sign_in: Any, axe: Any
) -> None:
    crowd = LargeCrowd(slug="rounded")
    board, latest, method = (
        reverse(f"leaderboard:{name}", args=["rounded"]) for name in ("board", "latest", "method")
    )
    reviewer = make_user("rita")
    make_membership(crowd.event, reviewer, Membership.Role.REVIEWER)
    seen = (board, f"{board}?category=maths", f"{board}?weighting=weighted", latest, method)
    for size, theme in product((DESKTOP, PHONE), ("light", "dark")):
        page = new_page(**size, color_scheme=theme)
        sign_in(page, reviewer)
        for address in seen:
            page.goto(address)
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
