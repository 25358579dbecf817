"""An organizer brings records in a browser, while a real worker imports them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from arena.events.models import Event, Matchup, Record
from arena.people.models import User
from tests.browser.conftest import PHONE, NewPage
from tests.factories import make_event, make_user

SignIn = Callable[[Page, User], None]

HEADER = "id,instruction,model_a,response_a,model_b,response_b,topic\n"
RIGHT = 'q1,"Why is the sky blue?",Ash,"Because of **scattering**.",Birch,Because.,physics\n'


@pytest.fixture
def event(transactional_db: None) -> Event:
    return make_event("fair", organizer=make_user("olga"), state=Event.State.DRAFT)


def test_an_organizer_drops_a_file_and_watches_it_arrive(
    event: Event,
    page: Page,
    sign_in: SignIn,
    axe: Callable[[Page], None],
    celery_worker_process: "subprocess.Popen[bytes]",
    tmp_path: Path,
) -> None:
    path = tmp_path / "records.csv"
    path.write_text(HEADER + RIGHT + "q2,,Ash,x,Birch,y,\n", encoding="utf-8")
    sign_in(page, User.objects.get(username="olga"))
    page.goto("/events/fair/import/")
    axe(page)
    page.get_by_label("Drop a file here, or choose one").set_input_files(path)
    page.get_by_role("button", name="Preview the first rows").click()

    # the preview follows the boxes
    expect(page.get_by_text("Why is the sky blue?")).to_be_visible()
    expect(page.get_by_text("Line 3, instruction: must not be empty")).to_be_visible()
    page.get_by_label("topic").select_option("categories")
    expect(page.get_by_label("topic")).to_have_value("categories")
    page.get_by_label("instruction").select_option("")
    expect(page.get_by_text("Line 1, prompt: this column is missing")).to_be_visible()
    page.get_by_label("instruction").select_option("prompt")
    expect(page.get_by_text("Line 1, prompt: this column is missing")).to_be_hidden()
    axe(page)

    # one wrong line: nothing is imported
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="1 error")).to_be_visible(timeout=30_000)
    axe(page)
    assert not Record.objects.exists()

    # the other line is, without a reload
    page.get_by_role("button", name="Import the other lines").click()
    expect(page.get_by_text("Done.")).to_be_visible(timeout=30_000)
    axe(page)
    assert Record.objects.get().categories.get().name == "physics"
    assert Matchup.objects.serving().count() == 1


def test_the_page_fits_a_phone(
    event: Event, new_page: NewPage, sign_in: SignIn, tmp_path: Path
) -> None:
    path = tmp_path / "records.jsonl"
    record = {"prompt": "Why? " * 50, "responses": {"Ash": "x" * 500, "Birch": "y"}}
    path.write_text(json.dumps(record), encoding="utf-8")
    page = new_page(**PHONE)
    sign_in(page, User.objects.get(username="olga"))
    page.goto("/events/fair/import/")
    assert not overflows(page)

    page.get_by_label("Drop a file here, or choose one").set_input_files(path)
    page.get_by_role("button", name="Preview the first rows").click()

    expect(page.get_by_role("button", name="Import", exact=True)).to_be_visible()
    assert not overflows(page)


def overflows(page: Page) -> bool:
    """Whether the page can be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
