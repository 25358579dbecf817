"""The life of one event, in the steps in which people go through it."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.served.steps import (
    PATIENCE,
    confirm,
    controls,
    figure,
    fill_event,
    follow,
    import_file,
    judge,
    keep_code,
    press,
    publish_result,
    records,
)


def become_organizer(page: Page, url: str, said: str) -> None:
    """The first account, by the link that the empty site at this address has printed."""
    (link,) = re.findall(rf"{url}/account/first/\S+", said)
    page.goto(link)
    page.get_by_label("Your name here").fill("olga")
    press(page, "Create my account")
    keep_code(page)
    expect(page.get_by_role("heading", name="New event")).to_be_visible()


def set_up(page: Page, folder: Path) -> None:
    """Words, questions, 50 records and 10 controls, each on its page."""
    fill_event(page, "Sums")
    press(page, "Save and continue")
    # Two people judge in this event: its boards are live, or they would come at the close.
    page.get_by_label("Judgments between board updates").fill("0")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    follow(page, "Import")
    import_file(page, records(folder / "records.jsonl"), new=50)
    follow(page, "Controls")
    follow(page, "Import controls")
    import_file(page, controls(folder / "controls.jsonl"), new=10)
    follow(page, "Controls")
    expect(figure(page, "Controls")).to_have_text("10")
    expect(figure(page, "Ordinary matchups")).to_have_text("50")


def open_seats(page: Page) -> None:
    """A seat for a visitor: until then the page says that nobody can join with the link."""
    expect(page.get_by_text("nobody can join with the link")).to_be_visible()
    follow(page, "Seats")
    page.get_by_label("Open seats").fill("1")
    press(page, "Add open seats")
    expect(page.get_by_text("nobody can join with the link")).to_have_count(0)
    follow(page, "Overview")


def join_and_judge(page: Page) -> None:
    """A stranger follows the link and judges twelve matchups."""
    page.goto("/events/sums/")
    press(page, "Accept and start judging")
    keep_code(page)
    press(page, "I have read this")
    judge(page, 12)


def wait_in_line(page: Page) -> None:
    """The next stranger finds all seats taken, and waits."""
    page.goto("/events/sums/")
    follow(page, "To the waiting list")
    press(page, "Join the waiting list")
    expect(page.get_by_text("You are number 1 in line.")).to_be_visible()


def watch_the_board_move(page: Page) -> None:
    """The board follows by itself, and then once more."""
    page.goto("/events/sums/leaderboard/")
    rows = page.locator("#board tbody tr", has_text="ash-1")
    expect(rows.first).to_be_visible(timeout=PATIENCE)
    before = page.locator("#board .asof").inner_text()
    other = page.context.new_page()
    other.goto("/events/sums/judge/")
    judge(other, 3)
    other.close()
    expect(page.locator("#board .asof")).not_to_have_text(before, timeout=PATIENCE)


def close_and_publish(page: Page) -> None:
    """End the event and publish its result."""
    page.goto("/events/sums/desk/")
    confirm(page, "Close the event now")
    publish_result(page)


def download_bundle(page: Page, folder: Path) -> Path:
    """The bundle, as soon as the worker has kept it."""
    page.goto("/events/sums/")
    with page.expect_download() as download:
        follow(page, "Download the bundle")
    path = folder / "bundle.zip"
    download.value.save_as(path)
    return path
