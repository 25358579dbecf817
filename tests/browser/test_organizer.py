"""An organizer who has never seen the code: from sign-up to an open event, in the browser."""

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from arena.events.models import Event, Record
from arena.people.models import Seat
from tests.factories import make_event, make_user

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60_000


def records(path: Path, count: int = 50) -> Path:
    """Records of two models, and controls, as somebody would write them."""
    rows = [
        {
            "external_id": f"q{number}",
            "prompt": f"What is {number} plus {number}?",
            "responses": {"ash-1": f"It is {2 * number}.", "birch-2": f"About {2 * number + 1}."},
            "categories": ["arithmetic"],
        }
        for number in range(1, count + 1)
    ]
    lines = (json.dumps(row) for row in rows)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_the_desk_of_a_running_event_fits_a_phone(
    phone: Page, sign_in: Callable[..., None]
) -> None:
    organizer = make_user("olga")
    event = make_event("tea", organizer=organizer, closes_at=timezone.now() + timedelta(days=30))
    sign_in(phone, organizer)
    phone.goto(f"/events/{event.slug}/desk/")
    expect(phone.get_by_role("button", name="Move")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_from_sign_up_to_an_open_event(
    page: Page, celery_worker_process: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    page.goto("/account/signup/")
    page.locator("input[name=username]").fill("olga")
    page.locator("input[name=password1]").fill("a long and private sentence")
    page.locator("main form button[type=submit]").first.click()
    page.goto("/")
    page.get_by_role("link", name="New event").click()
    page.get_by_label("Title").fill("Sums")
    page.get_by_label("Guidelines").fill("# Be exact\n\nThe right sum wins.")
    page.get_by_label("Deadline", exact=True).fill("2031-05-01T18:00")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Import", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(records(tmp_path / "records.jsonl"))
    page.locator("main form button[type=submit]").first.click()
    page.get_by_role("button", name="Import", exact=False).first.click()
    expect(page.get_by_text("Done").first).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Seats", exact=True).click()
    with page.expect_download() as sheet:
        page.get_by_role("button", name="Create and download the sheet").click()
    assert sheet.value.suggested_filename == "sums-seats.zip"
    page.get_by_role("link", name="Overview", exact=True).click()
    page.get_by_role("button", name="Open the event").click()
    page.get_by_role("dialog").get_by_role("button", name="Open the event").click()
    expect(page.get_by_text("The event is open.")).to_be_visible()
    event = Event.objects.get()
    assert (event.state, Record.objects.count()) == ("open", 50)
    assert Seat.objects.filter(kind="printed").count() == 20
