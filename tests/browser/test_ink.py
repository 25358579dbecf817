"""Each text keeps to its own place: nothing is drawn over the other side, nothing widens the page,
and the prompt and the headings stay in sight."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, NewPage
from tests.browser.reading import make_reading, open_reading

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., None]
SCREENS = {"desktop": DESKTOP, "phone": PHONE}

HOSTILE = {
    "marks on letters": ("Z" + "\u0301\u0332\u0489" * 300) * 20,
    "marks on spaces": (" " + "\u0323" * 300) * 200,
    "marks within markup": "*a*" + "`\u0300`" * 200 + "\u0300*\u0300*" * 200,
    "Thai marks": ("ก" + "\u0e47" * 300 + "\u0e38" * 300) * 20,
    "a long word": "W" * 3000,
    "a long word of joiners": "a\u2060" * 3000,
    "wide glyphs": "\ufdfd" * 50 + "\U0001242b" * 50 + "\u2e3b" * 50,
    "a long line of code": "```\n" + "x" * 3000 + "\n```\n\n`" + "y" * 3000 + "`",
    "a wide table": "|" + "col|" * 60 + "\n|" + "-|" * 60 + "\n|" + ("v" * 40 + "|") * 60,
    "a huge heading": "# " + "HUGE" * 300,
    "lists in lists": "".join("  " * level + "- a\n" for level in range(8)) + "- b\n" * 50,
    "numbers": "999999999. a\n\ntext\n\n" + "\n".join(f"{n}. x" for n in range(990, 1010)),
    "quotes in quotes": ">" * 17 + " quoted " + "word " * 50,
    "an address": "<https://example.org/" + "a" * 3000 + ">",
    "a picture": "![" + "x" * 3000 + "](https://example.org/" + "y" * 3000 + ")",
    "no-break spaces": "a\u00a0" * 3000,
    "right to left": "\u05d0" * 3000 + "\n\n- " + "שלום " * 500,
    "overrides": "\u202e\u2067" * 100 + "text" * 500,
    "raised text": "a<sup>b<sub>c</sub></sup>" * 500 + "<sup>" + "x" * 400 + "</sup>",
    "a formula moved left": r"$\hspace{-500em}\rule{500em}{500em}x$ $$\kern-900em x$$",
    "a formula moved up": r"$\raisebox{90em}{$x$}\raisebox{-90em}{$x$}$ $\rule[-99em]{1em}{999em}$",
    "a formula of no width": r"$\rlap{" + "x" * 500 + r"}\llap{" + "x" * 500 + "}$",
    "a long formula": "$$" + "x+" * 900 + "$$ inline $" + "x" * 900 + "$",
    "an unbreakable formula": r"$\underbrace{" + "a+" * 300 + r"a}_{b}$",
    "a tall formula": r"$$\left(\begin{matrix}" + r"a\\" * 100 + r"\end{matrix}\right)$$",
    "accents on accents": "$" + r"\hat{" * 25 + "x" + "}" * 25 + "$",
    "a wide matrix": r"\begin{pmatrix}" + "&".join("x" * 20 for _ in range(9)) + r"\end{pmatrix}",
    "a source too long": r"$$" + r"\alpha" * 1500 + "$$",
    "tall lines": "a\n" * 300,
    "tabs": "\t\tcode" + "\t" * 500 + "x",
}


@pytest.mark.parametrize("screen", SCREENS)
def test_no_text_widens_the_page(screen: str, new_page: NewPage, sign_in: SignIn) -> None:
    page = new_page(**SCREENS[screen])
    width = SCREENS[screen]["viewport"]["width"]
    names = list(HOSTILE)
    for some in (names[start : start + 6] for start in range(0, len(names), 6)):
        text = "\n\n".join(HOSTILE[name] for name in some)
        open_reading(page, make_reading(text, text, prompt=text), sign_in)
        page.evaluate("scrollTo(0, 600)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, some
        for side in page.locator(".side").all():
            box = side.bounding_box()
            assert box is not None
            assert box["x"] >= 0, some
            assert box["x"] + box["width"] <= width, some


def test_no_ink_of_one_side_falls_on_the_other(page: Page, sign_in: SignIn) -> None:
    def shown(left: str, right: str, side: str) -> bytes:
        open_reading(page, make_reading(left, right, prompt="Which?"), sign_in)
        box = page.locator(side).bounding_box()
        assert box is not None
        clip = {**box, "height": 200.0, "y": box["y"], "x": box["x"] + 1, "width": box["width"] - 1}
        return page.screenshot(clip=clip)  # type: ignore[arg-type]

    plain = "Plain words, as they are."
    left, right = shown(plain, plain, "#side-A"), shown(plain, plain, "#side-B")
    assert left != shown("Other words.", plain, "#side-A")  # it sees a difference
    for name, text in HOSTILE.items():
        assert shown(text, plain, "#side-B") == right, f"{name} on the left"
        assert shown(plain, text, "#side-A") == left, f"{name} on the right"


LONG = "\n\n".join(f"Paragraph {number} of a long answer." for number in range(60))


@pytest.mark.parametrize("screen", SCREENS)
def test_prompt_and_headings_stay_in_sight(screen: str, new_page: NewPage, sign_in: SignIn) -> None:
    page = new_page(**SCREENS[screen])
    prompt = "What is asked here?\n\n" + "And more of it. " * 300
    open_reading(page, make_reading(LONG, LONG, prompt=prompt), sign_in)
    height = page.evaluate("document.documentElement.scrollHeight")
    page.evaluate("scrollTo(0, 1400)")
    expect(page.locator(".prompt.is-strip")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") == height  # nothing jumps
    expect(page.get_by_text("What is asked here?")).to_be_in_viewport(ratio=0.99)
    strip = page.locator(".prompt").bounding_box()
    names = [".side-switch"] if screen == "phone" else ["#side-title-A", "#side-title-B"]
    for name in names:
        expect(page.locator(name)).to_be_in_viewport(ratio=0.99)
        heading = page.locator(name).bounding_box()
        assert strip is not None
        assert heading is not None
        assert heading["y"] >= strip["y"] + strip["height"] - 1
        assert heading["y"] + heading["height"] < 140
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(".prompt.is-strip")).to_have_count(0)


def test_the_strip_shows_the_whole_prompt_at_a_key(page: Page, sign_in: SignIn) -> None:
    prompt = "What is asked here?\n\n" + "\n\n".join(f"Part {n}." for n in range(9))
    open_reading(page, make_reading(LONG, LONG, prompt=prompt), sign_in)
    page.evaluate("scrollTo(0, 1400)")
    expect(page.get_by_text("Part 8.")).not_to_be_in_viewport()
    page.keyboard.press("p")
    expect(page.get_by_text("Part 8.")).to_be_in_viewport()
    expect(page.locator("[data-expand]")).to_have_text("Show less")
    page.keyboard.press("p")
    expect(page.get_by_text("Part 8.")).not_to_be_in_viewport()
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("[data-expand]")).to_have_text("Show all")


@pytest.mark.parametrize("screen", SCREENS)
def test_what_has_the_focus_is_not_covered(screen: str, new_page: NewPage, sign_in: SignIn) -> None:
    page = new_page(**SCREENS[screen])
    text = "\n\n".join(f"[link {n}](https://example.org/{n})" for n in range(40))
    open_reading(page, make_reading(text, text, prompt="Which? " * 200), sign_in)
    links = page.locator(".side .prose a")
    for number in (30, 12, 55, 3):
        links.nth(number).focus()
        seen = links.nth(number).evaluate(
            """(link) => {
              const box = link.getBoundingClientRect();
              const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
              return link.contains(document.elementFromPoint(x, y));
            }"""
        )
        assert seen, number


def test_empty_and_long_responses_say_what_they_are(page: Page, sign_in: SignIn) -> None:
    open_reading(page, make_reading("\u200b \n", "long " * 30_000), sign_in)
    expect(page.locator("#side-A")).to_contain_text("(empty response)")
    expect(page.locator("#side-B")).to_contain_text("shown as source")


def test_each_block_is_laid_out_in_its_own_direction(page: Page, sign_in: SignIn) -> None:
    text = "English first.\n\nשלום `x = 1` עולם\nand English\n\n- שלום\n\n| א |\n|---|\n| ב |"
    open_reading(page, make_reading(text), sign_in)
    side = page.locator("#side-A .prose")
    styles = "each => getComputedStyle(each).direction"
    assert side.locator("p").first.evaluate(styles) == "ltr"
    assert side.locator("p").nth(1).evaluate(styles) == "rtl"
    assert side.locator("li").evaluate(styles) == "rtl"
    assert side.locator("td").evaluate(styles) == "rtl"
    assert side.locator("code").evaluate(styles) == "ltr"
    edges = (
        side.locator("p")
        .nth(1)
        .evaluate(
            """(each) => {
          const range = document.createRange();
          range.selectNodeContents(each.lastChild);
          const text = range.getBoundingClientRect();
          return [text.left - each.getBoundingClientRect().left];
        }"""
        )
    )
    assert edges[0] < 5  # the English line within it begins at the left


def test_numbers_of_many_digits_are_seen(page: Page, sign_in: SignIn) -> None:
    open_reading(page, make_reading("8. a\n\nb\n\n- c\n\n999999999. d"), sign_in)
    side = page.locator("#side-A .prose")
    lists = side.locator("ol")
    assert lists.evaluate_all("all => all.map((each) => getComputedStyle(each).listStyleType)") == [
        "decimal",
        "decimal",
    ]
    edges = side.locator("ol > li").evaluate_all(
        """all => all.map((each) => {
          const prose = each.closest(".prose").getBoundingClientRect();
          return each.getBoundingClientRect().left - prose.left;
        })"""
    )
    assert edges[0] > 15  # room for "8."
    assert edges[1] > 85  # room for "999999999."
