"""Votes from elsewhere, and from another event, brought to a site as it is served."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.served.site import Site
from tests.served.steps import PATIENCE, follow, keep_code, press, records

OpenPage = Callable[..., Page]


def test_votes_come_by_the_page_and_an_export_of_them_by_both_doors(
    embedded_site: Site, open_page: OpenPage, tmp_path: Path
) -> None:
    site = embedded_site
    (link,) = re.findall(rf"{site.url}/account/first/\S+", site.start())
    page = open_page(site)
    page.goto(link)
    page.get_by_label("Your name here").fill("olga")
    press(page, "Create my account")
    keep_code(page)
    file = records(tmp_path / "records.jsonl")
    told = site.manage("create_event Sums --scale 5 --organizer olga")
    assert f"{site.url}/events/sums/desk/" in told
    assert "Imported: 50 created." in site.manage(f"import_records sums {file}")

    bring(page, votes(file, tmp_path / "votes.csv"))
    export = tmp_path / "judgments.jsonl"
    assert "50 rows" in site.manage(f"export sums --out {export}")

    site.manage("create_event Copy --scale 5 --organizer olga")
    assert "Imported: 50 created." in site.manage(f"import_judgments copy {export}")
    site.manage("create_event Again --scale 5 --organizer olga")
    page.goto("/events/again/import/")
    page.locator("input[type=file]").set_input_files(export)
    press(page, "Preview the first rows")
    expect(page.get_by_text("is an export of another event")).to_be_visible()
    press(page, "Import")
    expect(page.get_by_text("Done.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("main")).to_contain_text("50")


def votes(file: Path, path: Path) -> Path:
    """One graded vote on each record of a file."""
    lines = ["judge,question_id,model_a,model_b,overall_preference"]
    for number, name in enumerate(re.findall(r'"external_id": "([^"]+)"', file.read_text())):
        lines.append(f"w{number % 7},{name},ash-1,birch-2,{number % 5 - 2}")
    path.write_text("\n".join(lines))
    return path


def bring(page: Page, file: Path) -> None:
    """Drop votes on their page, say which end is which, and wait for the worker."""
    page.goto("/events/sums/import/")
    follow(page, "Import votes")
    page.locator("input[type=file]").set_input_files(file)
    press(page, "Preview the first rows")
    page.locator("#better-b").check()
    expect(page.get_by_text("50 new votes")).to_be_visible()
    press(page, "Import")
    expect(page.get_by_text("Done.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("main")).to_contain_text("50")
