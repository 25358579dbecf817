"""A reader watches the board while somebody judges; a real worker computes it in between."""

import subprocess
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from arena.events.models import Event
from leaderboard.models import Snapshot
from tests.browser.conftest import NewPage
from tests.factories import make_competitors, make_enrollment, make_event, make_matchup

pytestmark = pytest.mark.django_db(transaction=True)
# Beat looks every three seconds and open pages ask every few; a loaded machine takes longer.
PATIENCE = 45_000


@pytest.fixture
def event() -> Event:
    event = make_event("tea", overlap=5)
    models = make_competitors(event, 3)
    for number in range(12):
        make_matchup(event, [models[number % 3], models[(number + 1) % 3]])
    return event


def test_a_judgment_reaches_an_open_board(
    event: Event,
    celery_worker_process: "subprocess.Popen[bytes]",
    new_page: NewPage,
    sign_in: Callable[..., None],
) -> None:
    reader, judge = new_page(), new_page()
    reader.goto("/events/tea/leaderboard/")
    sign_in(judge, make_enrollment(event).user)
    judge_some(judge, 3)
    expect(reader.get_by_text("3 judgments by")).to_be_visible(timeout=PATIENCE)
    before = reader.evaluate("performance.getEntriesByType('navigation').length")
    judge_some(judge, 2)
    expect(reader.get_by_text("5 judgments by")).to_be_visible(timeout=PATIENCE)
    assert reader.evaluate("performance.getEntriesByType('navigation').length") == before
    assert Snapshot.objects.filter(event=event).count() >= 2


def judge_some(page: Page, count: int) -> None:
    """Judge by keyboard."""
    page.goto("/events/tea/judge/")
    page.wait_for_load_state("load")
    done = int(page.locator(".judge-count .num").inner_text())
    for number in range(count):
        page.keyboard.press(str(number % 5 + 1))
        page.keyboard.press("Enter")
        expect(page.locator(".judge-count .num")).to_have_text(str(done + number + 1))
