"""How an answer was given, as a real browser sums it up: by keyboard, pointer and neither."""

from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Page, Request, expect

from arena.events.models import Enrollment, Event, Matchup
from arena.judging.behaviour import Behaviour, read_code
from arena.judging.models import Assignment
from tests.browser.conftest import NewPage, Watch
from tests.browser.test_judging import current, judged
from tests.factories import (
    make_competitors,
    make_control,
    make_enrollment,
    make_event,
    make_matchups,
)

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., None]
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
EMPTY = "0000"  # no key, no pointer, no paste, no loss of focus


@pytest.fixture
def event() -> Event:
    event = make_event("tea", overlap=5)
    make_matchups(event, make_competitors(event, 2), 12)
    for _ in range(4):
        make_control(event)
    return event


@pytest.fixture
def contributor(event: Event) -> Enrollment:
    return make_enrollment(event)


def start(page: Page, enrollment: Enrollment, sign_in: SignIn) -> None:
    sign_in(page, enrollment.user)
    page.goto(f"/events/{enrollment.event.slug}/judge/")
    page.wait_for_load_state("load")
    judged(page, 0)


def code_of(uuid: str) -> str | None:
    return Assignment.objects.values_list("behaviour", flat=True).get(uuid=uuid, state="done")


def seen(uuid: str) -> Behaviour:
    code = code_of(uuid)
    assert code is not None
    return read_code(code)


def test_keys_and_pointers_are_counted_apart_and_each_matchup_anew(
    page: Page, contributor: Enrollment, sign_in: SignIn
) -> None:
    start(page, contributor, sign_in)
    by_keyboard = current(page)
    page.keyboard.press("4")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    judged(page, 1)
    first = seen(by_keyboard)
    assert (first.keys, first.pointers, first.pastes, first.focus_losses) == (3, 0, 0, 0)

    by_pointer = current(page)
    page.wait_for_timeout(1100)
    page.locator("label.segment").nth(1).click()
    page.get_by_role("button", name="Submit").click()
    judged(page, 2)
    second = seen(by_pointer)
    assert (second.keys, second.pointers, second.pastes, second.focus_losses) == (0, 2, 0, 0)
    assert 1 <= second.first_seconds <= second.total_seconds


def test_a_paste_and_a_lost_focus_are_counted_and_nothing_of_the_text_is_sent(
    page: Page, contributor: Enrollment, sign_in: SignIn
) -> None:
    start(page, contributor, sign_in)
    bodies: list[str] = []
    page.on("request", lambda request: bodies.append(request.post_data or ""))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('a secret of mine')")
    shown = current(page)
    page.keyboard.press("c")
    page.keyboard.press("Control+V")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.press("Escape")
    page.evaluate(HIDE, arg=True)
    page.evaluate("dispatchEvent(new Event('blur'))")  # the same loss, told twice
    page.wait_for_timeout(2100)
    page.evaluate(HIDE, arg=False)
    page.evaluate("dispatchEvent(new Event('blur'))")
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    judged(page, 1)
    found = seen(shown)
    assert (found.pastes, found.focus_losses, found.hidden_seconds) == (1, 2, 2)
    assert any("behaviour=" in body for body in bodies)
    assert not [body for body in bodies if "secret" in body]


def test_what_a_script_does_is_no_key_and_no_pointer(
    page: Page, contributor: Enrollment, sign_in: SignIn
) -> None:
    start(page, contributor, sign_in)
    shown = current(page)
    page.evaluate("""() => {
      document.querySelector("label.segment").click();
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true }));
      document.querySelector("#answer").requestSubmit();
    }""")
    judged(page, 1)
    code = code_of(shown)
    assert code is not None
    assert code[:4] == EMPTY


def test_a_control_and_an_ordinary_matchup_are_sent_alike(
    page: Page, contributor: Enrollment, sign_in: SignIn
) -> None:
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    start(page, contributor, sign_in)
    shapes: dict[str, set[object]] = {Matchup.Role.ORDINARY: set(), Matchup.Role.CONTROL: set()}
    for number in range(13):
        role = Assignment.objects.get(uuid=current(page)).matchup.role
        before = page.locator("input[name=behaviour]").evaluate("each => each.outerHTML")
        page.keyboard.press(str(number % 2 * 4 + 1))  # a2 or b2: of one length
        page.keyboard.press("Enter")
        judged(page, number + 1)
        body = sent[-1].post_data or ""
        fields = parse_qsl(body, keep_blank_values=True)
        headers = tuple(sorted(sent[-1].headers))
        if number:  # the first form came with a page of its own, and has its token inside
            shapes[role].add((before, tuple(name for name, _ in fields), len(body), headers))
    assert len(sent) == 13
    assert shapes[Matchup.Role.CONTROL] == shapes[Matchup.Role.ORDINARY]
    assert len(shapes[Matchup.Role.CONTROL]) == 1
    assert Assignment.objects.filter(state="done", behaviour__isnull=False).count() == 13


def test_a_waiting_answer_keeps_the_summary_it_had(
    page: Page, contributor: Enrollment, sign_in: SignIn, watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|sendError|htmx")
    start(page, contributor, sign_in)
    shown = current(page)
    page.context.set_offline(True)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#answer-status")).to_contain_text("No connection")
    kept = page.locator("input[name=behaviour]").input_value()
    for _ in range(3):
        page.keyboard.press("Shift")
    page.context.set_offline(False)
    judged(page, 1)
    assert code_of(shown) == kept


def test_without_javascript_nothing_is_measured_and_the_answer_is_taken(
    new_page: NewPage, contributor: Enrollment, sign_in: SignIn
) -> None:
    plain = new_page(java_script_enabled=False)
    start(plain, contributor, sign_in)
    shown = current(plain)
    assert plain.locator("input[name=behaviour]").input_value() == ""
    plain.locator("label.segment").first.click()
    plain.get_by_role("button", name="Submit").click()
    judged(plain, 1)
    assert code_of(shown) is None


def test_an_event_that_keeps_none_loads_no_script(
    page: Page, contributor: Enrollment, sign_in: SignIn
) -> None:
    Event.objects.update(keeps_behaviour=False)
    bodies: list[str] = []
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.on("request", lambda request: bodies.append(request.post_data or ""))
    start(page, contributor, sign_in)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    judged(page, 1)
    assert [url for url in loaded if "js/judge" in url]
    assert not [url for url in loaded if "js/behaviour" in url]
    assert [body for body in bodies if "preference=" in body]
    assert not [body for body in bodies if "behaviour" in body]
