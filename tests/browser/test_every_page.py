"""Every page in a real browser, light and dark, wide and narrow: accessible, quiet, in its bounds.

The list of pages follows from the URLs and their policy (tests/security): a new page is in it.
"""

import gzip
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import Page, Response, Route

from arena.judging.ledger import seal_event
from leaderboard.snapshots.refresh import refresh_fully
from tests.browser.conftest import NewPage, Watch
from tests.factories import (
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
)
from tests.security.cast import World, make_world
from tests.security.sights import Sight, sights

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., None]

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
EVERYTHING = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
# What the colour scheme can change; all else is the same document in the same places.
COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
VIOLATIONS = """options => axe.run(options).then(({violations}) => violations.flatMap(
  ({id, nodes}) => nodes.slice(0, 3).map(node => `${id}: ${node.html.slice(0, 160)}`)))"""
TOO_WIDE = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return null;
  const wide = [...document.querySelectorAll("body *")].find(
    (each) => each.getBoundingClientRect().right > root.clientWidth + 1);
  return `${root.scrollWidth} px wide: ${wide?.outerHTML.slice(0, 160)}`;
}"""
BUDGET = 150_000  # bytes of the judging page, compressed as they travel
ERROR_PAGES = ("errors/400.html", "errors/403.html", "errors/429.html", "errors/500.html")
DIALOGS = ("guidelines-sheet", "skip-dialog", "flag-dialog", "help-dialog", "sign-in")


class Eyes:
    """A browser for each actor, opened once and kept."""

    def __init__(self, world: World, new_page: NewPage, sign_in: SignIn) -> None:
        self.world, self.new_page, self.sign_in = world, new_page, sign_in
        self.pages: dict[str, Page] = {}

    def page(self, label: str) -> Page:
        """The page of this actor."""
        if label not in self.pages:
            page = self.new_page(reduced_motion="reduce")
            user = self.world.actor(label).user
            if user is not None:
                self.sign_in(page, user)
            self.pages[label] = page
        return self.pages[label]

    def look(self, sight: Sight) -> Page:
        """The page with this sight on it."""
        page = self.page(sight.label)
        page.goto(sight.path, wait_until="load")
        return page


@pytest.fixture
def eyes(new_page: NewPage, sign_in: SignIn) -> Eyes:
    """A world, and browsers to look at it."""
    return Eyes(make_world(), new_page, sign_in)


def faults(page: Page) -> Iterator[str]:
    """What is wrong with the page on a desktop and a phone, by day and by night."""
    page.evaluate(AXE_SCRIPT)
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="light")
        yield from page.evaluate(VIOLATIONS, EVERYTHING)
        if fault := page.evaluate(TOO_WIDE):
            yield f"at {size['width']} px: {fault}"
        page.emulate_media(color_scheme="dark")
        yield from (f"dark {fault}" for fault in page.evaluate(VIOLATIONS, COLOURS))
    page.set_viewport_size(WIDE)


def test_eyes_see(eyes: Eyes) -> None:
    page = eyes.look(Sight("/", "anonymous"))
    page.evaluate(
        """() => {
          document.querySelector("main").append(document.createElement("img"));
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(`main p { min-width: 1500px; }
            @media (prefers-color-scheme: dark) { main h1 { color: #222 !important; } }`);
          document.adoptedStyleSheets.push(sheet);
        }"""
    )
    found = "\n".join(faults(page))
    for fault in ("image-alt: <img>", "at 390 px: ", "at 1280 px: ", "dark color-contrast: <h1>"):
        assert fault in found


def test_every_page_is_accessible_quiet_and_in_its_bounds(eyes: Eyes, watch: Watch) -> None:
    watch.allow("status of 404 .*/no/such/page/")
    wrong, seen = [], sights(eyes.world)
    assert len(seen) > 60
    for sight in seen:
        before = len(watch.verdict())
        page = eyes.look(sight)
        found = [*faults(page), *watch.verdict()[before:]]
        wrong += [f"{sight.path} ({sight.label}): {fault}" for fault in found]
    watch.allow(".")  # said below, page by page
    assert not wrong, "\n".join(wrong)


def serve(body: str, route: Route) -> None:
    """Answer with this document."""
    route.fulfill(body=body, content_type="text/html")


def test_every_error_page_is_too(eyes: Eyes) -> None:
    page, wrong = eyes.page("anonymous"), []
    for template in ERROR_PAGES:
        page.route("**/broken/", partial(serve, render_to_string(template)))
        page.goto("/broken/")
        wrong += [f"{template}: {fault}" for fault in faults(page)]
        page.unroute("**/broken/")
    assert not wrong, "\n".join(wrong)


def test_every_dialog_of_the_judging_page_is_too(eyes: Eyes) -> None:
    side, wrong = eyes.world.public, []
    page = eyes.look(Sight(f"/judge/{side.shown.uuid}/", "tea contributor"))
    for dialog in DIALOGS:
        page.evaluate("id => document.getElementById(id).showPopover()", dialog)
        wrong += [f"{dialog}: {fault}" for fault in faults(page)]
        page.evaluate("id => document.getElementById(id).hidePopover()", dialog)
    assert not wrong, "\n".join(wrong)


def test_a_refused_form_is_too(eyes: Eyes, watch: Watch) -> None:
    watch.allow("status of 4(22|00)")
    wrong = []
    for path, label in (
        ("/new/", "outsider"),
        ("/events/tea/desk/event/", "tea organizer"),
        ("/events/tea/people/", "tea organizer"),
        ("/events/tea/join/", "anonymous"),
        ("/account/leave/", "outsider"),
        ("/account/login/", "anonymous"),
        ("/account/signup/", "anonymous"),
    ):
        page = eyes.look(Sight(path, label))
        with page.expect_navigation():
            page.evaluate(
                """() => {
                  const form = [...document.querySelectorAll("main form[method=post]")].at(-1);
                  for (const field of form.querySelectorAll("input:not([type=hidden]), textarea"))
                    field.value = "";
                  form.submit();
                }"""
            )
        wrong += [f"{path}: {fault}" for fault in faults(page)]
    assert not wrong, "\n".join(wrong)


def test_a_new_access_code_is_shown_as_well(eyes: Eyes) -> None:
    page = eyes.look(Sight("/account/seat/", "tea contributor"))
    page.get_by_role("button", name="Create a new access code").click()
    page.get_by_role("dialog").get_by_role("button", name="Create a new access code").click()
    page.locator(".secret").wait_for()
    assert list(faults(page)) == []


def test_the_judging_page_travels_light(eyes: Eyes) -> None:
    """Every byte of it, packed as a proxy or WhiteNoise packs it, with an empty cache."""
    page, sizes = eyes.page("tea contributor"), {}

    def weigh(response: Response) -> None:
        headers = sum(len(name) + len(value) + 4 for name, value in response.headers.items())
        sizes[response.url] = len(gzip.compress(response.body(), 9)) + headers

    page.on("response", weigh)
    page.goto(f"/judge/{eyes.world.public.shown.uuid}/", wait_until="networkidle")
    assert any(url.endswith("judge.js") for url in sizes)
    assert sum(sizes.values()) < BUDGET, sizes


def test_a_board_that_moves_moves_nothing_else(page: Page) -> None:
    """New judgments arrive on an open page: other numbers, and nothing jumps."""
    event = make_event("tea", overlap=9)
    models = make_competitors(event, 4)
    for number in range(30):
        make_matchup(event, [models[number % 4], models[(number + 1 + number // 15) % 4]])
    make_control(event)

    def judge(posted: tuple[str, ...]) -> None:
        now, contributor = timezone.now(), make_enrollment(event)
        for number in range(12):
            make_judgment(contributor, posted[number % len(posted)], now=now)
        seal_event(event.pk, now)
        refresh_fully(event, now=now)

    for _ in range(3):
        judge(("a1", "b2", "tie"))
    page.clock.install()
    page.goto("/events/tea/leaderboard/")
    page.evaluate(
        """() => {
          window.shifts = [];
          new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(
            ({value, sources}) => `${value} ${sources[0]?.node?.outerHTML?.slice(0, 120)}`
          ))).observe({type: "layout-shift"});
        }"""
    )
    for _ in range(2):
        before: Any = page.locator("#board .asof").inner_text()
        judge(("a2", "a1"))
        page.clock.run_for(9_000)
        page.wait_for_function(
            "text => document.querySelector('#board .asof').innerText !== text", arg=before
        )
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
    assert page.evaluate("window.shifts") == []
