"""Judging in a real browser: by keyboard, by touch, over a lost connection."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from arena.events.models import Enrollment, Event
from arena.judging.models import Assignment, Flag, Judgment
from tests.browser.conftest import NewPage, Watch
from tests.factories import (
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchup,
)

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., None]


@pytest.fixture
def event() -> Event:
    event = make_event("tea", overlap=5)
    models = make_competitors(event, 3)
    texts = ("Black tea wants water at the boil.\n\n- warm the pot\n- four minutes", "Use tea.")
    for number in range(18):
        make_matchup(event, [models[number % 3], models[(number + 1) % 3]], texts=texts)
    for _ in range(5):
        make_control(event)
    return event


@pytest.fixture
def newcomer(event: Event) -> Enrollment:
    return make_enrollment(event, guidelines=None, guidelines_at=None)


def start(page: Page, enrollment: Enrollment, sign_in: SignIn) -> None:
    """Sign in, acknowledge the guidelines, and stand before the first matchup."""
    sign_in(page, enrollment.user)
    page.goto(f"/events/{enrollment.event.slug}/judge/")
    page.get_by_role("button", name="I have read this").click()
    page.wait_for_load_state("load")
    judged(page, 0)


def judged(page: Page, count: int) -> None:
    expect(page.locator(".judge-count .num")).to_have_text(str(count))


def current(page: Page) -> str:
    return page.locator("#answer").get_attribute("data-uuid") or ""


def test_twelve_by_keyboard_with_an_undo_a_skip_and_a_flag(
    page: Page, newcomer: Enrollment, sign_in: SignIn
) -> None:
    start(page, newcomer, sign_in)
    for number in range(12):
        if number == 4:
            page.keyboard.press("u")
            expect(page.get_by_text("You are changing an earlier answer.")).to_be_visible()
            expect(page.locator("input[value=b2]")).to_be_checked()
            page.keyboard.press("2")
            page.keyboard.press("Enter")
            expect(page.get_by_text("You are changing an earlier answer.")).to_have_count(0)
            judged(page, 4)
        for key, dialog in (("s", "#skip-dialog"), ("f", "#flag-dialog")):
            if number == {"s": 6, "f": 9}[key]:
                before = current(page)
                page.keyboard.press(key)
                expect(page.locator(dialog)).to_be_visible()
                page.keyboard.press("1")
                page.keyboard.press("Enter")
                expect(page.locator("#answer")).not_to_have_attribute("data-uuid", before)
        page.keyboard.press(str(5 if number == 3 else number % 5 + 1))
        page.keyboard.press("Enter")
        judged(page, number + 1)
    assert Judgment.objects.standing().count() == 12
    assert Judgment.objects.count() == 13
    assert Flag.objects.get().reason == "broken"
    reasons = Assignment.objects.exclude(skip_reason="").values_list("skip_reason", flat=True)
    assert sorted(reasons) == ["flagged", "unclear"]
    revised = Judgment.objects.get(revision=1)
    assert abs(revised.answers.get(question__kind="preference").outcome or 0) == 1


@pytest.mark.parametrize(
    ("key", "dialog", "word"), [("s", "skip", "Skipped."), ("f", "flag", "Flagged.")]
)
def test_a_skip_is_undone_by_the_toast_and_by_the_key(
    page: Page, newcomer: Enrollment, sign_in: SignIn, key: str, dialog: str, word: str
) -> None:
    start(page, newcomer, sign_in)
    for way in ("toast", "key"):
        skipped = current(page)
        page.keyboard.press(key)
        expect(page.locator(f"#{dialog}-dialog")).to_be_visible()
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        expect(page.locator("#toast")).to_contain_text(word)
        shown = current(page)
        assert shown != skipped
        if way == "toast":
            page.locator("#toast button").click()
        else:
            page.keyboard.press("u")
        expect(page.locator("#answer")).to_have_attribute("data-uuid", skipped)
        expect(
            page.get_by_text("You can still answer it.").or_(page.get_by_text("withdraws the flag"))
        ).to_be_visible()
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        expect(page.locator("#answer")).to_have_attribute("data-uuid", shown)
        expect(page.locator("#toast")).to_contain_text("Saved.")
    assert Judgment.objects.standing().count() == 2
    assert not Flag.objects.waiting().exists()


def test_a_refused_answer_is_not_called_saved(
    page: Page, newcomer: Enrollment, sign_in: SignIn, watch: Watch
) -> None:
    """A second tab's other answer: the page says what stands, and no toast says "Saved."."""
    watch.allow("409")
    start(page, newcomer, sign_in)
    second = page.context.new_page()
    second.goto(page.url)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    judged(page, 1)
    second.keyboard.press("5")
    second.keyboard.press("Enter")
    expect(second.get_by_text("Saving this change replaces it.")).to_be_visible()
    expect(second.locator("#toast")).to_be_empty()
    expect(second.locator("input[value=b2]")).to_be_checked()
    second.keyboard.press("Enter")
    expect(second.locator("#toast")).to_contain_text("Saved.")
    assert Judgment.objects.standing().get().revision == 1


def test_twelve_by_touch_with_an_undo_a_skip_and_a_flag(
    phone: Page, newcomer: Enrollment, sign_in: SignIn
) -> None:
    start(phone, newcomer, sign_in)
    for number in range(12):
        if number == 4:
            phone.get_by_role("link", name="Undo").first.tap()
            expect(phone.get_by_text("You are changing an earlier answer.")).to_be_visible()
            phone.locator("label.segment").nth(4).tap()
            phone.get_by_role("button", name="Save change").tap()
            expect(phone.get_by_text("You are changing an earlier answer.")).to_have_count(0)
            judged(phone, 4)
        for name, dialog in (("Skip", "#skip-dialog"), ("Flag", "#flag-dialog")):
            if number == {"Skip": 6, "Flag": 9}[name]:
                before = current(phone)
                phone.get_by_role("group", name="Tools").get_by_role("button", name=name).tap()
                phone.locator(f"{dialog} label.choice").first.tap()
                phone.locator(f"{dialog} button.button").last.tap()
                expect(phone.locator("#answer")).not_to_have_attribute("data-uuid", before)
        phone.locator("label.segment").nth(number % 5).tap()
        judged(phone, number)  # a tap selects; it does not submit
        phone.get_by_role("button", name="Submit").tap()
        judged(phone, number + 1)
    assert Judgment.objects.standing().count() == 12
    assert Judgment.objects.count() == 13
    assert Flag.objects.count() == 1


def test_fast_mode_submits_on_the_number_alone(
    page: Page, newcomer: Enrollment, sign_in: SignIn
) -> None:
    start(page, newcomer, sign_in)
    page.keyboard.press("?")
    page.locator("#help-dialog label.switch").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    judged(page, 1)
    assert Judgment.objects.count() == 1


def test_a_lost_connection_keeps_the_answer_and_sends_it_once(
    page: Page, newcomer: Enrollment, sign_in: SignIn, watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|sendError|htmx")
    start(page, newcomer, sign_in)
    page.keyboard.press("c")
    page.keyboard.type("worth keeping")
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#answer-status")).to_contain_text("No connection")
    expect(page.locator("input[value=a2]")).to_be_checked()
    page.context.set_offline(False)
    judged(page, 1)
    judgment = Judgment.objects.get()
    assert judgment.answers.get(question__kind="text").value == {"text": "worth keeping"}


def test_an_ended_session_keeps_what_was_typed(
    page: Page, newcomer: Enrollment, sign_in: SignIn, watch: Watch
) -> None:
    watch.allow("40[13]|htmx")
    start(page, newcomer, sign_in)
    page.keyboard.press("c")
    page.keyboard.type("typed before")
    page.keyboard.press("Escape")
    page.context.clear_cookies()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in")).to_be_visible()
    page.locator("#sign-in-login").fill(newcomer.user.username)
    page.locator("#sign-in-password").fill("correct horse")
    page.locator("#sign-in").get_by_role("button", name="Sign in").click()
    judged(page, 1)
    assert Judgment.objects.get().answers.filter(value={"text": "typed before"}).exists()


def test_without_javascript_the_forms_do(
    new_page: NewPage, newcomer: Enrollment, sign_in: SignIn
) -> None:
    plain = new_page(java_script_enabled=False)
    start(plain, newcomer, sign_in)
    for number in range(3):
        plain.locator("label.segment").nth(number).click()
        plain.get_by_role("button", name="Submit").click()
        judged(plain, number + 1)
    assert Judgment.objects.count() == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_judging_page_is_accessible_and_light(
    new_page: NewPage,
    newcomer: Enrollment,
    sign_in: SignIn,
    axe: Callable[[Page], None],
    scheme: str,
) -> None:
    page = new_page(color_scheme=scheme)
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    start(page, newcomer, sign_in)
    page.wait_for_load_state("networkidle")
    axe(page)
    # Uncompressed, which is more than what travels.
    assert sum(sizes) < 300_000
    assert not re.search(r"Zyxomodel", page.content())
