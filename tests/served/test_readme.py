"""What the README tells people to do, done as it is written there.

The text itself is followed: `code` is typed, opened or written into the file, **bold** is pressed.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.served.site import Site
from tests.served.steps import CODE, DEADLINE, GUIDELINES, PATIENCE, answer, keep_code, press
from tests.services import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
# Something to press, or something to type.
PART = re.compile(r"\*\*(?P<press>[^*]+)\*\*|`(?P<code>[^`]+)`")
TITLE, SLUG = "Why is it so?", "why-is-it-so"
FIELDS = {
    "Your name here": "ada",
    "Title": TITLE,
    "Guidelines": GUIDELINES,
    "Deadline": DEADLINE,
}


def section(title: str) -> str:
    """The text under a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def steps(text: str) -> list[str]:
    """The numbered steps, in order."""
    found = re.split(r"^\d+\. ", text.split("\n\nDeployment", maxsplit=1)[0], flags=re.MULTILINE)
    return found[1:]


class Reader:
    """Somebody who does what is written, with a browser and a terminal in a checkout."""

    def __init__(self, site: Site, open_page: Callable[[Site], Page], folder: Path) -> None:
        self.site, self.open_page, self.folder = site, open_page, folder
        self.page = open_page(site)
        self.file: Path | None = None
        self.lines: list[str] = []
        folder.mkdir()
        (folder / "manage.py").symlink_to(ROOT / "manage.py")
        (folder / ".venv").symlink_to(sys.prefix)

    def follow(self, step: str) -> None:
        """Do everything that a step names, in its order."""
        for part in PART.finditer(" ".join(step.split())):
            if part["press"]:
                self.press(part["press"])
            else:
                self.type(part["code"].replace("EVENT", SLUG))

    def press(self, name: str) -> None:
        """The button with this name, or else the link; what can be filled in is, before."""
        dialog = self.page.get_by_role("dialog")
        asked = dialog.count() > 0
        if not asked:
            self.fill()
        place = dialog if asked else self.page.get_by_role("main")
        button = place.get_by_role("button", name=name, exact=True)
        link = self.page.get_by_role("link", name=name, exact=True)
        expect(button.or_(link).first).to_be_visible()
        pressed = (button if button.count() else link).first
        asks = not asked and pressed.get_attribute("data-asks") is not None
        pressed.click()
        if asks:
            expect(dialog.or_(self.page.get_by_text("Saved."))).to_be_visible()
        if self.page.locator("#import progress").count() or name == "Import":
            self.wait_for_import()
        self.page.wait_for_load_state("load")

    def wait_for_import(self) -> None:
        """Watch the import until it is over, where one has been begun."""
        if "/import/" in self.page.url and not self.page.locator("input[type=file]").count():
            expect(self.page.get_by_text("Done.")).to_be_visible(timeout=PATIENCE)

    def fill(self) -> None:
        """Every field on the page that this reader knows what to write into."""
        for label, text in FIELDS.items():
            named = self.page.get_by_label(label, exact=True)
            field = self.page.locator("main input, main textarea").and_(named)
            if field.count() and not field.input_value():
                field.fill(text)
        chooser = self.page.locator("input[type=file]")
        if chooser.count():
            assert self.file is not None
            chooser.set_input_files(self.file)

    def type(self, code: str) -> None:
        """A command, an address, a line of the file or the file's name."""
        if code == "make run":
            said = self.site.start()
            (link,) = re.findall(rf"{self.site.url}/account/first/\S+", said)
            self.page.goto(link)
        elif "manage.py" in code:
            self.site.run(code, self.folder)
        elif code.startswith("{"):
            json.loads(code)
            self.lines.append(code)
            assert self.file is not None
            self.file.write_text("\n".join(self.lines), encoding="utf-8")
        elif code.startswith("/"):
            answer = self.page.goto(code)
            assert answer is not None
            assert answer.ok, code
            self.page.go_back()
        elif code.endswith(".jsonl"):
            self.file = self.folder / code


def test_the_reader_of_a_step_does_what_it_says() -> None:
    assert [part.groups() for part in PART.finditer("type `make run`, press **Save**")] == [
        (None, "make run"),
        ("Save", None),
    ]


def test_your_own_event_as_the_readme_has_it(
    embedded_site: Site, open_page: Callable[[Site], Page], tmp_path: Path
) -> None:
    site, text = embedded_site, section("Your own event")
    reader = Reader(site, open_page, tmp_path / "checkout")
    followed = steps(text)
    assert len(followed) == len(re.findall(r"^\d+\. ", text, re.MULTILINE)) > 5
    for step in followed:
        reader.follow(step)
        if "visitors get an account in one click" in " ".join(step.split()):
            visit(open_page(site))
    # Nothing was missing, and a stranger came in and has judged.
    reader.page.goto(f"/events/{SLUG}/desk/")
    expect(reader.page.get_by_role("main")).not_to_contain_text("nobody can join with the link")
    expect(reader.page.locator(".facts > div", has_text="Contributors")).to_contain_text("1")
    # What was printed leads to where the site answers.
    printed = site.run(f"{sys.executable} manage.py provision {SLUG} 1 --open")
    assert f"{site.url}/events/{SLUG}/" in printed


def visit(page: Page) -> None:
    """A stranger opens the shared link, and is in by one click."""
    page.goto(f"/events/{SLUG}/")
    press(page, "Accept and start judging")
    _name, code = keep_code(page)
    assert CODE.fullmatch(code)
    press(page, "I have read this")
    answer(page, 0)
    # Whether the control comes first is drawn.
    judged = page.locator(".judge-count .num").get_by_text("1", exact=True)
    expect(judged.or_(page.get_by_text("You have judged everything"))).to_be_visible()


@pytest.mark.parametrize("document", ["README.md", "docs/operations.md"])
def test_documents_name_no_command_that_is_not_there(document: str, embedded_site: Site) -> None:
    named = set(re.findall(r"manage\.py (\w+)", (ROOT / document).read_text(encoding="utf-8")))
    named |= set(re.findall(r"run --rm web (\w+)", (ROOT / document).read_text(encoding="utf-8")))
    assert named
    listed = embedded_site.manage("help --commands").split()
    assert named - {"help"} <= set(listed)
