r"""Formulas in a real browser: each is drawn right, row by row, or shown as its source."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from arena.events.models import Event
from tests.browser.reading import make_reading, open_reading
from tests.factories import make_event, make_matchup, make_record, make_user

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., None]

# Each with its rows: what each one says, without blanks and what takes no room.
DRAWN = {
    # what people met
    r"$$\begin{aligned}p&=1\\q&=2\end{aligned}$$": ["p=1", "q=2"],
    r"$$\begin{alignedat}{2}p&=1&s&=3\\q&=2&t&=4\end{alignedat}$$": ["p=1s=3", "q=2t=4"],
    r"$$\begin{eqnarray}p&=&1\\q&=&2\nonumber\end{eqnarray}$$": ["p=1", "q=2"],
    "\\begin{eqnarray*}\np &=& 1 \\\\\nq &=& 2\n\\end{eqnarray*}": ["p=1", "q=2"],
    r"$$f=\begin{dcases}p&x>0\\q&x<0\end{dcases}$$": ["px>0", "qx<0"],
    r"$$\begin{gathered}p\\q\\r\end{gathered}$$": ["p", "q", "r"],
    r"$$\begin{rcases}p\\q\end{rcases}=1$$": ["p", "q"],
    r"$\ce{H2O}$": ["HX2O"],
    r"\ce{2H2 + O2 -> 2H2O}": ["2HX2+OX2→2HX2O"],
    r"$\mathop{\arg\max}_x f$": ["argmaxxf"],
    "\\begin{equation}\nE = m\n\\end{equation}": ["E=m"],
    r"so \boxed{42} it is": ["42"],
    r"$\boxed{42}$": ["42"],
    # and others
    r"\[ p=1 \]": ["p=1"],
    r"\( p=1 \)": ["p=1"],
    "$$\np\n= 1\n$$": ["p=1"],
    "So \\[\np\n- q\n= r\n\\] holds": ["p−q=r"],
    "\\begin{align}\np&=1\\\\\nq&=2\n\\end{align}": ["p=1", "q=2"],
    "\\begin{align*}\np&=1\\label{a}\\\\[4pt]\nq&=2\n\\end{align*}": ["p=1", "q=2"],
    r"\begin{gather}p\\q\end{gather}": ["p", "q"],
    r"\begin{multline}p+\\q\end{multline}": ["p+", "q"],
    r"\begin{flalign}p&=1\\q&=2\end{flalign}": ["p=1", "q=2"],
    r"\begin{alignat}{1}p&=1\\q&=2\end{alignat}": ["p=1", "q=2"],
    r"$$\begin{split}p&=1\\q&=2\end{split}$$": ["p=1", "q=2"],
    r"\begin{equation}\begin{split}p&=1\\q&=2\end{split}\end{equation}": ["p=1", "q=2"],
    r"$f=\begin{cases}p&\text{if }x\\q&\text{else}\end{cases}$": ["pifx", "qelse"],
    r"$\begin{pmatrix}p&1\\q&2\end{pmatrix}$": ["p1", "q2"],
    r"$\begin{bmatrix}p&1\\q&2\\r&3\end{bmatrix}$": ["p1", "q2", "r3"],
    r"$\begin{vmatrix}p&1\\q&2\end{vmatrix}$": ["p1", "q2"],
    r"$\begin{Bmatrix}p\\q\end{Bmatrix}$": ["p", "q"],
    r"$\begin{smallmatrix}p&1\\q&2\end{smallmatrix}$": ["p1", "q2"],
    r"$$\begin{array}{c|c}p&1\\\hline q&2\end{array}$$": ["p1", "q2"],
    r"$$\begin{array}{@{}l@{}}p\\q\end{array}$$": ["p", "q"],
    r"$$\sum_{\substack{p\\q}}1$$": ["p", "q"],
    r"$$\begin{CD}p@>>>1\\@VVV@VVV\\q@>>>2\end{CD}$$": ["p→1", "↓↓", "q→2", ""],
    r"$p = 1 \text{ if $q$ holds}$": ["p=1ifqholds"],
    r"$$p=1\tag{7}$$": ["p=1(7)"],
    r"$\left\{p\right.$": ["{p"],
    r"$\newcommand{\R}{\mathbb{Q}}p\in\R$": ["p∈Q"],
    r"$\def\half#1{\frac{#1}{2}}\half{p}$": ["p2"],
    r"$\DeclareMathOperator{\tr}{tr}\tr p$": ["trp"],
    r"$\color{red}{p}+\textcolor{blue}{q}$": ["p+q"],
    r"$\pu{5 m}$": ["5m"],
    r"$\mathbb{E}_{p\sim q}$": ["Ep∼q"],
    r"$\underbrace{p}_{\text{two words}}$": ["p⏟twowords"],
    r"$\cancel{p}$": ["p"],
    r"\boxed{The answer is yes}": ["Theanswerisyes"],
    r"$p=1\text{ אם שלום}$": ["p=1אםשלום"],
    r"$$\begin{aligned}[t]p&=1\\q&=2\end{aligned}$$": ["p=1", "q=2"],
    r"$\begin{array}[b]{l}p\\q\end{array}$": ["p", "q"],
    r"$p \mbox{ and } q$": ["pandq"],
    r"$\lim_{p\to 0}\frac{\sin p}{p}$": ["limp→0sinpp"],
    r"2$\times$3": ["×"],
}
# Shown as their source, whole and with a sign that it is.
SOURCES = [
    r"$$\llap{what stands left of its place}x$$",
    r"$\left( x$",
    r"$\nosuchcommand x$",
    r"$\href{https://example.org}{x}$",
    r"$\url{https://example.org}$",
    r"$\includegraphics{x.png}$",
    r"$\htmlClass{a}{x}$",
    '$\\char"41 x$',
    r"$x = 50% y$",
    r"$$p & q$$",
    r"$$p \\ \intertext{then} q$$",
    r"\begin{tikzpicture}\draw (0,0) -- (1,1);\end{tikzpicture}",
    r"\begin{tabular}{cc}a&b\\c&d\end{tabular}",
    r"\[ Area of circle = \pi r^2 \]",
    r"$\boxed{\text{שלום}}$",
    r"$\color{transparent} x$",
    r"$\ref{eq} = x$",
    r"$\SI{5}{\metre}$",
    r"$\def\a{\a\a}\a$",
    r"$\newcommand{\x}{y}$",
    r"$" + r"\text{x}" * 500 + "$",
    r"\[" + r"\alpha + " * 500 + r"x \]",
]
TEXTS = [
    "It costs $20 (USD$).",
    "It is $5 and $10.",
    "US$ 5 to $6, A$7/CA$8",
    "echo $HOME/$USER ${A}/${B} $A:$B",
    "`$x$` and `\\boxed{1}`",
    "from $$ to $$$",
    "see \\[1\\] and \\(below here\\)",
    "$1,$2 and $a.$b",
]
ROWS = """(box) => {
  const clean = (text) => text.replace(/[\\s\\u200b\\u2061-\\u2064]/g, "");
  const math = box.querySelector(".katex-mathml math").cloneNode(true);
  math.querySelector("annotation")?.remove();
  const rows = [...math.querySelectorAll("mtr")].filter((row) => !row.querySelector("mtable"));
  return rows.length > 1 ? rows.map((row) => clean(row.textContent)) : [clean(math.textContent)];
}"""
# The height on the page at which each of the letters stands that begin a row.
HEIGHTS = """(box, letters) => letters.map((letter) => {
  const leaves = [...box.querySelectorAll(".katex-html *")].filter(
    (each) => !each.children.length && each.textContent === letter);
  return leaves.length ? leaves[0].getBoundingClientRect().top : null;
})"""


def test_each_formula_is_drawn_row_by_row(page: Page, sign_in: SignIn) -> None:
    texts = list(DRAWN)
    half = len(texts) // 2
    reading = make_reading("\n\n".join(texts[:half]), "\n\n".join(texts[half:]))
    open_reading(page, reading, sign_in)
    boxes = page.locator(".side .formula")
    assert page.locator(".side .math-source").all_text_contents() == []
    assert boxes.count() == len(DRAWN)
    wrong = []
    for box, (text, rows) in zip(boxes.all(), DRAWN.items(), strict=True):
        found = box.evaluate(ROWS)
        if found != rows:
            wrong.append(f"{text}: {found}")
        letters = [row[0] for row in rows if row[:1] in ("p", "q", "r")]
        heights = box.evaluate(HEIGHTS, letters) if len(rows) > 1 else []
        if None in heights or heights != sorted(set(heights)):
            wrong.append(f"{text}: rows at {heights}")
    assert not wrong, "\n".join(wrong)


def test_what_cannot_be_read_is_shown_as_its_source(page: Page, sign_in: SignIn) -> None:
    open_reading(page, make_reading("\n\n".join(SOURCES)), sign_in)
    assert (
        page.locator(".side .formula").evaluate_all("all => all.map(x => x.dataset.source)") == []
    )
    assert page.locator(".side .math-source").all_text_contents() == SOURCES
    sign = "each => getComputedStyle(each, '::after').content"
    assert page.locator(".side .math-source").first.evaluate(sign) == '"TeX"'


def test_phantoms_stay_unseen_and_colours_can_be_read(page: Page, sign_in: SignIn) -> None:
    text = r"\ce{CO2} $\phantom{y}x$ $\color{white}{w}$"
    colour = "each => getComputedStyle(each).color"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        open_reading(page, make_reading(text), sign_in)
        for letter in ("X", "y"):
            hidden = page.locator(".katex-html").get_by_text(letter, exact=True).first
            assert hidden.evaluate(colour) == "rgba(0, 0, 0, 0)", letter
        white = page.locator(".katex-html").get_by_text("w", exact=True).first
        assert white.evaluate(colour) != page.locator("body").evaluate(
            "each => getComputedStyle(each).backgroundColor"
        )


def test_prices_variables_and_code_are_no_formulas(page: Page, sign_in: SignIn) -> None:
    open_reading(page, make_reading("\n\n".join([*TEXTS, "but $x$"])), sign_in)
    assert page.locator(".side .formula").count() == 1
    assert page.locator(".side .math-source").count() == 0
    assert "It costs $20 (USD$)." in page.locator(".sides").inner_text()


def test_the_library_is_loaded_only_where_there_is_mathematics(page: Page, sign_in: SignIn) -> None:
    event = make_event()
    reading = make_reading("No formula.", event=event)
    make_matchup(event, record=make_record(event, "$$x^2$$"), texts=("$y$", r"\(z\)"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_reading(page, reading, sign_in)
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "katex" in url or "math" in url]
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator(".formula")).to_have_count(3)
    assert [url for url in asked if "katex" in url]
    assert not [url for url in asked if "mhchem" in url]


def test_without_javascript_the_source_is_shown(
    new_page: Callable[..., Page], sign_in: SignIn
) -> None:
    page = new_page(java_script_enabled=False)
    reading = make_reading(r"It is $\frac12$.")
    sign_in(page, reading.enrollment.user)
    page.goto(f"/judge/{reading.uuid}/")
    assert r"It is $\frac12$." in page.locator(".sides").inner_text()


def test_numbers_of_equations_begin_anew_on_each_side(page: Page, sign_in: SignIn) -> None:
    text = "\\begin{equation}\nx\n\\end{equation}"
    open_reading(page, make_reading(text, text), sign_in)
    assert (
        page.locator(".side .prose").evaluate_all(
            "all => all.map((each) => getComputedStyle(each).counterReset)"
        )
        == ["katexEqnNo 0 mmlEqnNo 0"] * 2
    )


def test_copying_gives_formulas_as_they_were_written(page: Page, sign_in: SignIn) -> None:
    text = "First $x^2$ here.\n\n$$\\begin{aligned}p&=1\\\\q&=2\\end{aligned}$$\n\nLast."
    open_reading(page, make_reading(text), sign_in)
    copied = page.evaluate(
        """() => {
          getSelection().selectAllChildren(document.querySelector("#side-A .prose"));
          const data = new DataTransfer();
          const event = new ClipboardEvent(
            "copy", {clipboardData: data, bubbles: true, cancelable: true});
          document.dispatchEvent(event);
          return data.getData("text/plain");
        }"""
    )
    assert copied.split() == text.split()
    assert page.locator(".copied").count() == 0


def test_huge_formulas_do_not_freeze_the_page(page: Page, sign_in: SignIn) -> None:
    texts = [
        "$" + "x+" * 1400 + "x$",
        "$" + r"\frac{" * 300 + "x" + "}{y}" * 300 + "$",
        "$" + r"\hat{" * 300 + "x" + "}^2" * 300 + "$",
        r"$\def\a{" + "x" * 900 + "}" + r"\a" * 500 + "$",
        r"$\def\a#1{#1#1#1#1#1#1#1#1}\a{\a{\a{\a{\a{\a{\a{x}}}}}}}$",
        r"$\ce{" + "->[x]" * 400 + "}$",
        "$" + r"\begin{matrix}" * 100 + "x" + r"\end{matrix}" * 100 + "$",
    ]
    started = time.monotonic()
    open_reading(page, make_reading("\n\n".join(texts * 6), "\n\n".join(texts * 6)), sign_in)
    assert time.monotonic() - started < 20
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_formulas_are_drawn_wherever_texts_are_shown(
    page: Page, sign_in: SignIn, axe: Callable[[Page], None]
) -> None:
    organizer = make_user()
    text = "It is $x^2$, or\n\n$$\\begin{aligned}p&=1\\\\q&=2\\end{aligned}$$\n\nand $\\left( y$."
    event = make_event(organizer=organizer)
    Event.objects.filter(pk=event.pk).update(description=text, prize=text)
    event.guidelines.update(text=text)
    matchup = make_matchup(event, record=make_record(event, text), texts=(text, text))
    sign_in(page, organizer)
    for path, count in (
        (f"/events/{event.slug}/", 6),
        (f"/events/{event.slug}/guidelines/", 2),
        (f"/events/{event.slug}/desk/preview/", 6),
        (f"/events/{event.slug}/desk/records/{matchup.record.external_id}/", 6),
    ):
        page.goto(path, wait_until="load")
        expect(page.locator(".math-source").first).to_be_attached()
        assert page.locator("code.math").count() == 0, path
        assert page.locator(".formula").count() == count, path
        page.emulate_media(media="print")
        assert page.locator(".formula").first.is_visible(), path
        page.emulate_media(media="screen")
        axe(page)
