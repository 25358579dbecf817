"""The board of a running event that hides its controls, and the one for those who look after it."""

from typing import Any

import pytest
from django.urls import reverse

from arena.events.models import Membership
from tests.browsing import DESKTOP, PHONE, NewPage
from tests.factories import make_membership, make_user
from tests.leaderboard.test_rounded_board import LargeCrowd


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_rounded_figures_can_be_read_by_everybody(
    transactional_db: None, new_page: NewPage, sign_in: Any, axe: Any, size: Any, theme: str
) -> None:
    crowd = LargeCrowd(slug="rounded")
    page = new_page(**size, color_scheme=theme)
    board, latest, method = (
        reverse(f"leaderboard:{name}", args=["rounded"]) for name in ("board", "latest", "method")
    )
    reviewer = make_user("rita")
    make_membership(crowd.event, reviewer, Membership.Role.REVIEWER)
    sign_in(page, reviewer)
    for address in (
        board,
        f"{board}?category=maths",
        f"{board}?weighting=weighted",
        latest,
        method,
    ):
        page.goto(address)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
