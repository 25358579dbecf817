"""Markdown of strangers: what it becomes, that nothing of it acts, that its time is bounded."""

import re
import time
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name

from arena.markup import MAX_TEXT, RenderedMessage, render_markdown, render_messages
from arena.markup.highlighting import LANGUAGES
from tests.security.payloads import ATTACKS

# Written down here once more on purpose: the test must not follow a slip in the allow-list.
TAGS = (
    "a p br hr h3 h4 h5 h6 ul ol li blockquote em strong s code pre span"
    " table thead tbody tr th td sub sup"
)
ATTRIBUTES = "href title rel target start class dir"
VOID = {"br", "hr"}


class Reader(HTMLParser):
    """Reads HTML as strictly as the page needs it to be: known tags and attributes, balanced."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS.split(), tag
        for name, value in attrs:
            assert name in ATTRIBUTES.split(), (tag, name, value)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        pytest.fail(f"a declaration: {decl}")


def read(html: str) -> Reader:
    """The parsed HTML; fails if anything in it could act."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    for tag, attributes in reader.tags:
        if tag == "a" and "href" in attributes:
            assert urlsplit(attributes["href"] or "").scheme in {"http", "https", "mailto"}
            assert attributes["rel"] == "nofollow noopener noreferrer"
            assert attributes["target"] == "_blank"
    return reader


def tags(text: str) -> list[str]:
    return [tag for tag, _attributes in read(render_markdown(text)).tags]


# --- what it becomes ------------------------------------------------------------------------


def test_commonmark_tables_and_strikethrough() -> None:
    html = render_markdown("**b** *i* ~~s~~ `c`\n\n> q\n\n3. x\n\n| a | b |\n|:-:|--:|\n| 1 | 2 |")
    for part in (
        '<strong>b</strong> <em>i</em> <s>s</s> <code dir="ltr">c</code>',
        '<blockquote dir="ltr">',
        '<ol start="3">',
        '<th dir="auto" class="to-center">a</th>',
        '<td class="to-end">2</td>',
    ):
        assert part in html
    assert "style" not in html


def test_single_newlines_stay() -> None:
    assert "first<br>" in render_markdown("first\nsecond")


def test_code_is_highlighted_by_classes() -> None:
    html = render_markdown('```python\ndef f(): return "<s>"\n```')
    assert '<span class="k">def</span>' in html
    assert "&lt;s&gt;" in html
    assert "style" not in html


@pytest.mark.parametrize("info", ["", "nonsense", "python hl_lines=1", "../../etc", "<script>"])
def test_code_in_any_language_is_code(info: str) -> None:
    assert tags(f"~~~{info}\nx\n~~~")[:2] == ["pre", "code"]


@pytest.mark.parametrize("language", LANGUAGES.split())
def test_every_highlighted_language_exists(language: str) -> None:
    assert get_lexer_by_name(language).name


def test_images_become_their_words() -> None:
    html = render_markdown("![a *small* cat](https://example.org/cat.png)")
    assert html == '<p><span class="image">[a small cat] https://example.org/cat.png</span></p>\n'


def test_links_lead_out_without_a_trace() -> None:
    assert render_markdown('[x](https://example.org/?a=1&b=2 "t")') == (
        '<p dir="auto"><a href="https://example.org/?a=1&amp;b=2" title="t" target="_blank"'
        ' rel="nofollow noopener noreferrer">x</a></p>\n'
    )


@pytest.mark.parametrize("url", ["/account/logout/", "?x=1", "#top", "//example.org", "x.html"])
def test_relative_addresses_are_text(url: str) -> None:
    assert tags(f"[x]({url})") == ["p"]


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("# a\n# b\n## c", [3, 3, 4]),
        ("### a\n# b\n#### c", [3, 3, 4]),
        ("# a\n###### b\n### c", [3, 4, 4]),
        ("# a\n## b\n### c\n#### d\n##### e", [3, 4, 5, 6, 6]),
        ("a\n===\nb\n---", [3, 4]),
    ],
)
def test_headings_stay_below_the_page_and_skip_no_level(text: str, levels: list[int]) -> None:
    found = [int(tag[1]) for tag in tags(text) if re.fullmatch("h[1-6]", tag)]
    assert found == levels
    assert all(after <= before + 1 for before, after in pairwise(found))


@pytest.mark.parametrize("character", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_bidi_controls_are_gone_even_as_references(character: str) -> None:
    for text in (f"a{character}b", f"a&#{ord(character)};b", f"`a{character}b`", f"$a{character}$"):
        assert character not in render_markdown(text)


def test_marks_of_right_to_left_text_stay() -> None:
    assert "\u200f" in render_markdown("שלום\u200f!")


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x07", "\x7f", "\x85", "\r"])
def test_control_characters_are_gone(character: str) -> None:
    assert character not in render_markdown(f"a{character}[31mb")


def test_messages() -> None:
    assert render_messages("*hi*") == [RenderedMessage("user", '<p dir="auto"><em>hi</em></p>\n')]
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "<i>"}]
    assert render_messages(turns) == [
        RenderedMessage("user", '<p dir="auto">a</p>\n'),
        RenderedMessage("assistant", '<p dir="auto">&lt;i&gt;</p>\n'),
    ]


def test_nothing_is_remembered_between_texts() -> None:
    read(render_markdown("[a]: https://example.org"))
    assert tags("[a]") == ["p"]
    for _ in range(30):  # budgets belong to one text
        assert 'class="math"' in render_markdown("$" + "x+" * 900 + "x$")


# --- nothing acts ---------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_text(attack: str) -> None:
    read(render_markdown(attack))
    read(render_markdown(f"before {attack} after"))
    read(render_markdown(f"> - {attack}\n\n{attack}"))


def test_raw_html_is_shown_not_dropped() -> None:
    assert read(render_markdown("<script>alert(1)</script>")).text.strip() == (
        "<script>alert(1)</script>"
    )


def test_no_class_of_the_page_can_be_borrowed() -> None:
    for attack in ATTACKS:
        for tag, attributes in read(render_markdown(attack)).tags:
            assert tag in {"span", "th", "td", "code", "ol"} or "class" not in attributes


MARKUP = st.text(
    alphabet=st.sampled_from(list("<>&\"'`$\\[](){}!#*_~|:-=/ \n\tabx1;\x00\u202e")), max_size=120
)
FRAGMENTS = st.lists(st.sampled_from(ATTACKS) | MARKUP, max_size=6).map("".join)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(FRAGMENTS)
def test_any_mixture_is_harmless(text: str) -> None:
    read(render_markdown(text))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=300))
def test_any_text_is_harmless(text: str) -> None:
    read(render_markdown(text))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(MARKUP)
def test_any_formula_is_harmless(text: str) -> None:
    read(render_markdown(f"${text}$ \\({text}\\)\n\n$$\n{text}\n$$"))


# --- and in bounded time --------------------------------------------------------------------

LONG = {
    "one word": "a",
    "brackets": "[",
    "images": "![",
    "emphasis": "*a ",
    "open emphasis": "a**b",
    "underscores": "_a",
    "backticks": "`",
    "odd backticks": "`a``",
    "dollars": "$",
    "formulas": "$a$ ",
    "bracket formulas": r"\(x\)",
    "open bracket formulas": r"\(",
    "angles": "<",
    "tags": "<a ",
    "ampersands": "&",
    "backslashes": "\\",
    "quotes": ">",
    "lists": "- ",
    "nested lists": "> - ",
    "links": "[a](",
    "tildes": "~~a",
    "tables": "|a|b|\n|-|-|\n",
    "headings": "# a\n",
    "fences": "```\n",
    "newlines": "\n",
    "tabs": "\t",
    "bars in open formulas": r"\(|",
    "bars in dollars": "$|",
    "bars in code": "`|",
    "open display formulas": "a \\[\n",
    "open environments": "\\begin{cases}\n",
    "open boxes": r"\boxed{ ",
    "dollars in text": r"$\text{$ ",
    "raised text": "<sup>",
    "marks": "a\u0301\u0302",
    "emphasis beside CJK": "**中",
    "Hebrew items": "- ש\n",
    "definitions": "[a]: http://a\n",
}


@pytest.mark.parametrize("piece", LONG.values(), ids=LONG.keys())
def test_a_long_text_takes_bounded_time(piece: str) -> None:
    text = (piece * MAX_TEXT)[:MAX_TEXT]
    started = time.process_time()
    read(render_markdown(text))
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000 + "a" + "](http://x)" * 9_000,
        "a " + "[x" * 10_000 + "]" * 10_000,
        "".join(f"{'  ' * depth}- a\n" for depth in range(300)),
        "|" + "a|" * 5_000 + "\n|" + "-|" * 5_000 + "\n" + "|\n" * 20_000,
        "[a]: http://a\n\n" + "[a]" * 25_000,
        "$" + r"\frac{" * 300 + "$",
        "$" + "{" * 1_999 + "$",
        "$$" + r"\begin{matrix}" * 140 + "$$",
        "$" + "x^" * 900 + "$",
        "```python\n" + "a" * 90_000 + "\n```",
        "```java\n" + ("a<b<" * 120 + "\n") * 40 + "```",
        "```html\n" + "&a" * 20_000 + "\n```",
    ],
    ids=range(12),
)
def test_a_twisted_text_takes_bounded_time(text: str) -> None:
    started = time.process_time()
    read(render_markdown(text[:MAX_TEXT]))
    assert time.process_time() - started < 10


def test_past_the_limit_a_text_is_shown_as_written_and_says_so() -> None:
    html = render_markdown("*a* <b>" + "x" * MAX_TEXT)
    note, source = html.split("\n", 1)
    assert "very long: shown as source" in note
    assert source.startswith('<pre class="source" dir="auto">*a* &lt;b&gt;xxx')
    assert source.endswith("</pre>")
