"""An organizer downloads judgments, pairs and a bundle in a browser."""

import json
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from arena.people.models import User
from tests.browser.conftest import PHONE, NewPage
from tests.exports.cast import Cast
from tests.exports.test_bundle import current
from tests.factories import NOW

SignIn = Callable[[Page, User], None]


@pytest.fixture
def cast(transactional_db: None, settings, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = tmp_path / "uploads"
    cast = Cast()
    cast.judge_all()
    snapshot = current(cast.event)
    cast.event.snapshots.filter(pk=snapshot.pk).update(name="Week 1", sealed_at=NOW)
    return cast


def downloaded(page: Page, act: Callable[[], None]) -> Path:
    """What an act brings to the disk."""
    with page.expect_download() as download:
        act()
    return Path(download.value.path())


def test_an_organizer_downloads_everything(
    cast: Cast, page: Page, sign_in: SignIn, axe: Callable[[Page], None]
) -> None:
    sign_in(page, cast.organizer)
    page.goto(reverse("exports:downloads", args=["fair"]))
    axe(page)
    judgments = downloaded(page, page.get_by_role("link", name="Download JSONL").click)
    assert len([json.loads(line) for line in judgments.read_text().splitlines()]) == 7
    page.get_by_label("One row per").select_option("majority")
    pairs = downloaded(page, page.get_by_role("button", name="Download pairs").click)
    assert [list(json.loads(line)) for line in pairs.read_text().splitlines()] == [
        ["prompt", "chosen", "rejected"]
    ]
    bundle = downloaded(page, page.get_by_role("link", name="Week 1").click)
    assert ZipFile(bundle).testzip() is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(
    cast: Cast, new_page: NewPage, sign_in: SignIn, axe: Callable[[Page], None], scheme: str
) -> None:
    page = new_page(**PHONE, color_scheme=scheme)
    sign_in(page, cast.organizer)
    page.goto(reverse("exports:downloads", args=["fair"]))
    expect(page.get_by_role("heading", name="Downloads")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    axe(page)
