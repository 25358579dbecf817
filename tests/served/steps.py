"""What people do in a browser, each step as they would find it on the pages."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

CODE = re.compile(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}")
PATIENCE = 60_000
GUIDELINES = "# Be exact\n\nThe right sum wins."
DEADLINE = "2031-05-01T18:00"


def press(page: Page, name: str) -> None:
    """Press the button with this name."""
    page.get_by_role("button", name=name, exact=True).first.click()


def follow(page: Page, name: str) -> None:
    """Follow the link with this name."""
    page.get_by_role("link", name=name, exact=True).first.click()


def confirm(page: Page, name: str) -> None:
    """Press the button of a step that cannot be undone, and once more where it asks."""
    press(page, name)
    agree(page)


def agree(page: Page) -> None:
    """Say yes to the question of a step that cannot be undone."""
    page.locator("[data-question] button[type=submit]").click()


def publish_result(page: Page) -> None:
    """Publish, and again while the site says that the boards are still being computed."""
    tag = page.locator(".state .tag")
    expect(page.get_by_role("button", name="Publish the result")).to_be_visible()
    for _try in range(10):
        confirm(page, "Publish the result")
        try:
            expect(tag).to_have_text("Published", timeout=PATIENCE / 10)
        except AssertionError:
            expect(page.get_by_text("The boards are being computed.")).to_be_visible()
        else:
            return
    expect(tag).to_have_text("Published")


def keep_code(page: Page) -> tuple[str, str]:
    """Read the username and access code that are shown, and say that they are saved."""
    expect(page.locator(".secret")).to_be_visible()
    name, code = page.locator(".secret dd span:first-child").all_inner_texts()[:2]
    assert CODE.fullmatch(code)
    press(page, "I have saved it")
    return name, code


def sign_in(page: Page, username: str, code: str) -> None:
    """With a username and an access code."""
    page.goto("/account/login/")
    page.get_by_label("Username or e-mail").fill(username)
    page.get_by_label("Access code or password").fill(code)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name=username)).to_be_visible()


def fill_event(page: Page, title: str) -> None:
    """The words and times of a new event."""
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_label("Guidelines", exact=True).fill(GUIDELINES)
    page.get_by_label("Deadline", exact=True).fill(DEADLINE)
    # What is on somebody's screen at the end would be waited for.
    page.get_by_text("More settings").click()
    page.locator("input[name=grace_minutes]").fill("0")


def import_file(page: Page, path: Path, new: int) -> None:
    """On the import page: choose a file, look at its first rows, import it, wait for the worker."""
    page.locator("input[type=file]").set_input_files(path)
    press(page, "Preview the first rows")
    press(page, "Import")
    expect(page.get_by_text("Done.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("main")).to_contain_text(f"{new}")


def judge(page: Page, count: int) -> None:
    """Judge so many matchups, each differently."""
    number = page.locator(".judge-count .num")
    before = int(number.inner_text())
    for done in range(before, before + count):
        answer(page, done % 5)
        expect(number).to_have_text(str(done + 1))


def answer(page: Page, place: int) -> None:
    """Choose the answer in this place of the scale, and submit it."""
    page.locator("#answer .segments .segment").nth(place).click()
    press(page, "Submit")


def figure(page: Page, name: str) -> Locator:
    """The number under this heading among the facts of a page."""
    term = page.locator("dt").get_by_text(name, exact=True)
    return page.locator(".facts > div", has=term).locator("dd")


def records(path: Path, count: int = 50) -> Path:
    """Sums and the answers of two models, one of them mostly right."""
    rows = [
        {
            "external_id": f"q{number}",
            "prompt": f"What is {number} plus {number}?",
            "responses": {"ash-1": f"It is {2 * number}.", "birch-2": f"About {2 * number + 1}."},
            "categories": ["arithmetic"],
        }
        for number in range(1, count + 1)
    ]
    return written(path, rows)


def controls(path: Path, count: int = 10) -> Path:
    """Pairs whose right side is known: now the first, now the second."""
    rows = [
        {
            "external_id": f"c{number}",
            "prompt": f"What is {number} times ten?",
            "responses": [
                {"text": f"It is {10 * number + number % 2}."},
                {"text": f"It is {10 * number + 1 - number % 2}."},
            ],
            "control": {"expected": "ba"[number % 2 == 0], "reason": f"{10 * number} is right."},
        }
        for number in range(1, count + 1)
    ]
    return written(path, rows)


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """One row a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
