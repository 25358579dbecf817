"""The flag queue in a real browser: by keys, by touch, and read by a machine."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from arena.events.models import Event
from arena.judging.models import Flag
from arena.judging.skipping import flag_assignment
from arena.people.models import User
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchup,
    make_user,
)

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., None]
QUEUE, COMMENTS = "/events/tea/desk/flags/", "/events/tea/desk/comments/"
LONG = "A very long answer. " * 400


@pytest.fixture
def organizer() -> User:
    return make_user("olga")


@pytest.fixture
def event(organizer: User) -> Event:
    """An event with three flags, the first of a pair of long texts, and a comment."""
    event = make_event("tea", organizer=organizer, overlap=1)
    models = make_competitors(event, 2)
    for number in range(4):
        text = LONG if number == 0 else f"Answer {number}."
        make_matchup(event, models, texts=(text, f"Another answer {number}."))
    for number in range(3):
        assignment = make_assignment(make_enrollment(event))
        flag_assignment(assignment, "broken", f"note {number}", now=NOW)
    make_judgment(make_enrollment(event), comment="The first one is warmer.")
    return event


def waiting() -> list[str]:
    return list(Flag.objects.waiting().order_by("created_at", "pk").values_list("note", flat=True))


def press(page: Page, key: str) -> None:
    """A key, once the page that the last one led to has loaded what listens for it."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def test_the_queue_is_worked_by_keys(
    page: Page, event: Event, organizer: User, sign_in: SignIn
) -> None:
    sign_in(page, organizer)
    page.goto(QUEUE)
    items = page.locator("[data-queue-item]")
    expect(items).to_have_count(3)
    press(page, "j")
    expect(items.nth(0)).to_be_focused()
    press(page, "j")
    expect(items.nth(1)).to_be_focused()
    press(page, "k")
    press(page, "j")
    press(page, "r")
    expect(items).to_have_count(2)
    assert len(waiting()) == 2
    expect(page.get_by_text("is resolved.")).to_be_visible()
    press(page, "u")
    expect(items).to_have_count(3)
    assert len(waiting()) == 3
    press(page, "x")
    expect(items).to_have_count(2)
    assert event.matchups.exclude(retired_at=None).count() == 1
    press(page, "u")
    expect(items).to_have_count(3)
    assert not event.matchups.exclude(retired_at=None).exists()
    press(page, "?")
    expect(page.locator("#queue-help")).to_be_visible()
    press(page, "r")  # the help is open: nothing is decided behind it
    press(page, "Escape")
    expect(page.locator("#queue-help")).to_be_hidden()
    assert len(waiting()) == 3


def test_the_queue_is_worked_by_touch_and_without_scripts(
    new_page: Callable[..., Page], event: Event, organizer: User, sign_in: SignIn
) -> None:
    phone = new_page(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    sign_in(phone, organizer)
    phone.goto(QUEUE)
    phone.get_by_role("button", name="Resolve", exact=False).first.click()
    assert len(waiting()) == 2
    phone.get_by_role("button", name="Undo").click()
    assert len(waiting()) == 3
    phone.get_by_role("button", name="Resolve", exact=False).first.click()
    phone.get_by_role("link", name="Resolved").click()
    phone.get_by_text("Show the pair").click()
    phone.get_by_role("button", name="Reopen").click()
    assert len(waiting()) == 3


@pytest.mark.parametrize("path", [QUEUE, f"{QUEUE}?show=resolved", COMMENTS])
def test_queues_fit_a_phone_and_are_read_by_machines(
    phone: Page,
    event: Event,
    organizer: User,
    sign_in: SignIn,
    axe: Callable[[Page], None],
    path: str,
) -> None:
    Flag.objects.filter(note="note 1").update(resolved_at=NOW, resolved_by=organizer)
    sign_in(phone, organizer)
    phone.goto(path)
    for details in phone.locator("main details").all():
        details.evaluate("details => { details.open = true; }")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    axe(phone)
