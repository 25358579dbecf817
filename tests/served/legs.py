"""Further ways through a running event: the desk's decisions, and what a contributor may do."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.served.site import Site
from tests.served.steps import (
    CODE,
    PATIENCE,
    agree,
    confirm,
    follow,
    import_file,
    judge,
    keep_code,
    press,
    written,
)

NewPage = Callable[[Site], Page]


def correct_a_record(page: Page, event: str) -> None:
    """Take a matchup out of service and put it back, and correct a record's texts."""
    page.goto(f"{event}desk/records/")
    page.locator("main tbody a").first.click()
    for act in ("Retire", "Restore"):
        button = page.get_by_role("button", name=act, exact=True)
        form = page.locator("form").filter(has=button).first
        form.get_by_label("Why").fill("It is looked at.")
        form.get_by_role("button").click()
    follow(page, "Correct the texts")
    page.locator("main textarea").first.fill("What is the right question?")
    page.get_by_label("Why").fill("It was unclear.")
    confirm(page, "Save as a new version")
    expect(page.get_by_text("New version of")).to_be_visible()


def judge_a_contributor(page: Page, event: str) -> None:
    """Exclude somebody, and take it back."""
    page.goto(f"{event}desk/contributors/")
    page.locator("main tbody a").first.click()
    exclude_on_page(page)
    page.get_by_label("Reason for reinstating").fill("Looked at once more.")
    page.locator("section[aria-labelledby=decision]").get_by_role(
        "button", name="Reinstate"
    ).click()
    expect(page.get_by_role("heading", name="Decision")).to_be_visible()


def exclude_on_page(page: Page) -> None:
    """Exclude the contributor whose page this is."""
    decision = page.locator("section[aria-labelledby=decision]")
    decision.get_by_label("Why").fill("Their answers follow nothing.")
    decision.get_by_role("button", name="Exclude").click()


def print_seats(page: Page, event: str) -> str:
    """Print seats, print their codes anew, give one a new code; returns the link of a slip."""
    page.goto(f"{event}desk/seats/")
    page.get_by_label("Printed seats").fill("20")
    with page.expect_download():
        press(page, "Create and download the sheet")
    page.goto(f"{event}desk/seats/")
    with page.expect_download() as sheet:
        confirm(page, "Reissue unclaimed codes")
    with zipfile.ZipFile(sheet.value.path()) as archive:
        text = archive.read("seats.csv").decode("utf-8-sig")
    first, second, *others = csv.DictReader(io.StringIO(text))
    assert len(others) >= 18
    page.goto(f"{event}desk/seats/")
    page.locator("section[aria-labelledby=one-seat] input[name=username]").fill(second["username"])
    confirm(page, "New code")
    expect(page.get_by_text(CODE)).to_be_visible()
    press(page, "I have shared it")
    return first["claim_link"]


def invite_a_reviewer(site: Site, organizer: Page, open_page: NewPage, event: str) -> Page:
    """Somebody without an account follows an invitation to the desk."""
    organizer.goto(f"{event}people/")
    link = make_link(organizer, "Reviewer")
    reviewer = open_page(site)
    reviewer.goto(link)
    reviewer.get_by_label("Your name here").fill("rita")
    press(reviewer, "Accept and create my account")
    keep_code(reviewer)
    reviewer.goto(f"{event}desk/")
    expect(reviewer.locator("a.chip", has_text="Flags")).to_be_visible()
    return reviewer


def take_invitations_back(organizer: Page, reviewer: Page, event: str) -> None:
    """A link that is withdrawn, and a reviewer whose office ends."""
    organizer.goto(f"{event}people/")
    make_link(organizer, "Reader")
    organizer.goto(f"{event}people/")
    confirm(organizer, "Withdraw")
    row = organizer.get_by_role("row", name="rita")
    row.get_by_role("button", name="Remove").click()
    agree(organizer)
    expect(organizer.get_by_role("row", name="rita")).to_have_count(0)
    assert reviewer.request.get(f"{event}desk/").status == 404
    reviewer.close()  # the desk asks for its figures again and again


def make_link(page: Page, role: str) -> str:
    """A fresh invitation."""
    page.get_by_label("Role").select_option(label=role)
    press(page, "Create a link")
    return page.locator("input[readonly]").input_value()


def ask_to_be_let_in(site: Site, organizer: Page, open_page: NewPage, folder: Path) -> None:
    """A private event whose organizer approves everybody: an account, a request, a yes."""
    organizer.goto("/new/")
    organizer.get_by_label("Title", exact=True).fill("Behind a door")
    organizer.get_by_label("Guidelines", exact=True).fill("Be fair.")
    organizer.get_by_label("Private: only people you invite").check()
    organizer.get_by_label("Require approval").check()
    press(organizer, "Save and continue")
    organizer.goto("/events/behind-a-door/people/")
    link = make_link(organizer, "Contributor")
    guest = open_page(site)
    guest.goto(link)
    guest.get_by_label("Your name here").fill("gina")
    press(guest, "Accept and create my account")
    keep_code(guest)
    organizer.goto("/events/behind-a-door/people/")
    press(organizer, "Approve")
    # A file that is thought better of, and a copy of the event.
    organizer.goto("/events/behind-a-door/import/")
    row = {"prompt": "Why?", "responses": {"ash": "So.", "birch": "Because."}}
    organizer.locator("input[type=file]").set_input_files(written(folder / "one.jsonl", [row]))
    press(organizer, "Preview the first rows")
    confirm(organizer, "Delete the file")
    import_file(organizer, written(folder / "one.jsonl", [row]), new=1)
    confirm(organizer, "Take this import back")
    expect(organizer.get_by_text("Taken back")).to_be_visible(timeout=PATIENCE)
    organizer.goto("/events/behind-a-door/desk/event/")
    organizer.get_by_label("Title of the copy").fill("Another door")
    press(organizer, "Duplicate")
    expect(organizer.get_by_text("This is the copy.")).to_be_visible()


def judge_by_slip(site: Site, open_page: NewPage, event: str, link: str) -> Page:
    """Somebody takes a printed seat, skips, flags, undoes, is renamed, and gets a new code."""
    page = open_page(site)
    page.goto(urlsplit(link).path)
    press(page, "Accept and join")
    press(page, "I have read this")
    judge(page, 2)
    for key, dialog in (("s", "#skip-dialog"), ("f", "#flag-dialog")):
        before = page.locator("#answer").get_attribute("data-uuid") or ""
        page.keyboard.press(key)
        expect(page.locator(dialog)).to_be_visible()
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        expect(page.locator("#answer")).not_to_have_attribute("data-uuid", before)
    judge(page, 1)
    page.keyboard.press("u")
    expect(page.get_by_text("You are changing an earlier answer.")).to_be_visible()
    page.goto(f"{event}me/")
    page.goto("/account/seat/")
    page.locator("input[name=display_name]").fill("Paula")
    page.locator("section[aria-labelledby=name]").get_by_role("button").click()
    confirm(page, "Create a new access code")
    _name, code = keep_code(page)
    assert CODE.fullmatch(code)
    return page


def deal_with_a_flag(page: Page, event: str) -> None:
    """What was reported is on the desk, and dealt with."""
    page.goto(f"{event}desk/flags/")
    buttons = page.get_by_role("main").get_by_role("button")
    before = buttons.count()
    assert before
    buttons.first.click()
    expect(buttons).not_to_have_count(before)


def leave(page: Page) -> None:
    """Leave and erase: the account is gone."""
    page.goto("/account/leave/")
    page.locator("input[name=sure]").check()
    press(page, "Leave and erase")
    page.goto("/account/seat/")
    assert re.search("/account/login/", page.url)
