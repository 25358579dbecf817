"""Cases decided in a real browser: by keys, without scripts, on a phone, and read by a machine."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from arena.events.models import Enrollment, Event
from arena.judging.models import Case, Judgment, ReviewWarning
from arena.people.models import User
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_judgment,
    make_matchups,
    make_user,
)

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., None]
QUEUE = "/events/tea/desk/review/"
State = Case.State
CASES = 20


@pytest.fixture
def organizer() -> User:
    return make_user("olga")


@pytest.fixture
def event(organizer: User) -> Event:
    """An event with twenty open cases; the first is about somebody with three judgments."""
    event = make_event("tea", organizer=organizer, overlap=9)
    make_matchups(event, make_competitors(event, 2), 4)
    people = [make_enrollment(event) for _ in range(CASES)]
    for _ in range(3):
        make_judgment(people[0])
    Case.objects.bulk_create(open_case(who) for who in people)
    return event


def open_case(who: Enrollment) -> Case:
    figures = {"on_controls": 1.02, "on_others": 0.1, "controls": 12}
    return Case(
        event=who.event,
        enrollment=who,
        reason=Case.Reason.GAP,
        evidence=figures,
        judgments=40,
        opened_at=NOW,
    )


def states() -> list[str]:
    return list(Case.objects.order_by("pk").values_list("state", flat=True))


def decide(page: Page, key: str, note: str) -> None:
    """One decision by keys: the form's, the reason, Enter."""
    before = page.url
    page.keyboard.press(key)
    expect(page.locator("dialog:popover-open textarea").first).to_be_focused()
    page.keyboard.type(note)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != before)


def test_twenty_cases_are_decided_by_keys(
    page: Page, event: Event, organizer: User, sign_in: SignIn
) -> None:
    sign_in(page, organizer)
    page.goto(QUEUE)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/review/*-*/")
    begun = time.monotonic()
    for key in "dwebd" * 4:
        decide(page, key, "Looked at.")
    # A person reads between the keys; the site takes a few seconds of their ten minutes.
    assert time.monotonic() - begun < 60.0
    expect(page.get_by_text("Nothing to review")).to_be_visible()
    ended = [State.DISMISSED, State.WARNED, State.EXCLUDED, State.BLOCKED, State.DISMISSED]
    assert states() == ended * 4


def test_keys_walk_and_undo(page: Page, event: Event, organizer: User, sign_in: SignIn) -> None:
    sign_in(page, organizer)
    first, second, *_ = Case.objects.order_by("pk")
    page.goto(f"{QUEUE}{first.uuid}/")
    page.keyboard.press("j")
    page.wait_for_url(f"**/{second.uuid}/")
    page.keyboard.press("k")
    page.wait_for_url(f"**/{first.uuid}/")
    page.keyboard.press("e")
    expect(page.locator("#decide-exclude")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#decide-exclude")).to_be_hidden()
    decide(page, "d", "Their own taste, says j and u.")
    toast = page.locator(".toast")
    expect(toast).to_contain_text("Dismissed")
    assert states()[0] == State.DISMISSED
    page.keyboard.press("u")
    page.wait_for_url(f"**/{first.uuid}/")
    expect(page.get_by_text("The case is open again.")).to_be_visible()
    assert states()[0] == State.OPEN
    page.keyboard.press("?")
    expect(page.locator("#queue-help")).to_be_visible()
    page.keyboard.press("d")  # the help is open: nothing is decided behind it
    expect(page.locator("#decide-dismiss")).to_be_hidden()


def test_ticked_judgments_and_a_moment_are_in_the_form(
    page: Page, event: Event, organizer: User, sign_in: SignIn
) -> None:
    sign_in(page, organizer)
    first = Case.objects.order_by("pk").first()
    assert first is not None
    page.goto(f"{QUEUE}{first.uuid}/")
    page.get_by_role("button", name="From here on").first.click()
    expect(page.locator("#exclude-since")).not_to_have_value("")
    expect(page.locator('#exclude-form [value="since"]')).to_be_checked()
    page.keyboard.press("Escape")
    page.get_by_role("checkbox").first.check()
    page.keyboard.press("e")
    expect(page.locator('#exclude-form [value="chosen"]')).to_be_checked()
    page.locator("#exclude-note").fill("This one alone.")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Excluded")
    assert Judgment.objects.counted().count() == 2


def test_a_case_is_decided_without_scripts(
    new_page: Callable[..., Page], event: Event, organizer: User, sign_in: SignIn
) -> None:
    phone = new_page(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    sign_in(phone, organizer)
    phone.goto(QUEUE)
    phone.locator(".queue a").first.click()
    phone.get_by_role("button", name="Warn").first.click()
    form = phone.locator("#warn-form")
    form.get_by_label("Why").fill("Too fast.")
    form.get_by_label("Your words to them").fill("Please take your time.")
    form.get_by_role("button").click()
    assert states()[0] == State.WARNED
    assert ReviewWarning.objects.get().text == "Please take your time."
    phone.get_by_role("button", name="Undo").click()
    assert states()[0] == State.OPEN


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_review_is_read_by_machines(
    phone: Page,
    event: Event,
    organizer: User,
    sign_in: SignIn,
    axe: Callable[[Page], None],
    scheme: str,
) -> None:
    sign_in(phone, organizer)
    phone.emulate_media(color_scheme=scheme)
    first = Case.objects.order_by("pk").first()
    assert first is not None
    case = f"{QUEUE}{first.uuid}/"
    for path in (QUEUE, f"{QUEUE}?show=mine", case, "/events/tea/desk/decisions/"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
        axe(phone)
    phone.goto(case)
    for name in ("dismiss", "warn", "exclude", "block"):
        phone.evaluate("id => document.getElementById(id).showPopover()", f"decide-{name}")
        axe(phone)
        phone.evaluate("id => document.getElementById(id).hidePopover()", f"decide-{name}")
