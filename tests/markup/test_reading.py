"""Texts of all scripts, and texts that are hardly there: what readers see of them."""

import pytest

from arena.markup import render_markdown, render_response

SMALL = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # a family, joined
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello\n\nשלום", ['<p dir="auto">Hello</p>', '<p dir="auto">שלום</p>']),
        ("- hello\n- שלום", ['<li dir="ltr">hello', '<li dir="rtl">שלום']),
        (
            "- a\n\n- ש\n\n  b",
            ['<li dir="ltr">\n<p dir="auto">a', '<li dir="rtl">\n<p dir="auto">ש'],
        ),
        ("> مرحبا", ['<blockquote dir="rtl">', '<p dir="auto">مرحبا']),
        ("# مرحبا", ['<h3 dir="auto">']),
        ("| א | b |\n|---|---|\n| c | 1 |", ['<table dir="rtl">', '<td dir="auto">c', "<td>1"]),
        ("`code` שלום", ['<p dir="auto"><code dir="ltr">code</code> שלום']),
        ("- `code` שלום", ['<li dir="rtl">']),
        ("- $x$ שלום", ['<li dir="rtl">']),
        ("```\nשלום\n```", ['<pre dir="ltr"><code dir="ltr">']),
        ("    שלום", ['<pre dir="ltr"><code dir="ltr">']),
        ("שלום" * 30_000, ['<pre class="source" dir="auto">']),
    ],
)
def test_each_block_runs_in_its_own_direction(text: str, parts: list[str]) -> None:
    html = render_markdown(text)
    for part in parts:
        assert part in html, html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**中文，**后", "<strong>中文，</strong>后"),
        ("前**「x」**y", "前<strong>「x」</strong>y"),
        ("**「x」**y", "<strong>「x」</strong>y"),
        ("他说**“好”**。", "他说<strong>“好”</strong>。"),
        ("**重点：**内容", "<strong>重点：</strong>内容"),
        ("これは**「重要」**です", "これは<strong>「重要」</strong>です"),
        ("**한국어(Korean)**은", "<strong>한국어(Korean)</strong>은"),
        ("**ไทย(x)**ครับ", "<strong>ไทย(x)</strong>ครับ"),
        ("*中文。*后", "<em>中文。</em>后"),
        ("~~删除，~~后", "<s>删除，</s>后"),
        ("中**`code`**文", '中<strong><code dir="ltr">code</code></strong>文'),
        ("***中文，***后", "<em><strong>中文，</strong></em>后"),
        ("中 ** 文 ** 后", "中 ** 文 ** 后"),
        ("a * b * c", "a * b * c"),
        ("snake_case_name", "snake_case_name"),
        ("**bold**text *it*", "<strong>bold</strong>text <em>it</em>"),
    ],
)
def test_emphasis_beside_text_without_spaces(text: str, html: str) -> None:
    assert render_markdown(text) == f'<p dir="auto">{html}</p>\n'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("H<sub>2</sub>O, x<SUP>2</SUP>", "H<sub>2</sub>O, x<sup>2</sup>"),
        ("a<br>b<br/>c<br />d", "a<br>\nb<br>\nc<br>\nd"),
        ("x<sup>**a**</sup>", "x<sup><strong>a</strong></sup>"),
        ("<sub>a", "&lt;sub&gt;a"),
        ("a</sup>", "a&lt;/sup&gt;"),
        ("<sub class=x>a</sub>", "&lt;sub class=x&gt;a&lt;/sub&gt;"),
        ("`<br>`", '<code dir="ltr">&lt;br&gt;</code>'),
        ("a<sup>b<sup>c</sup></sup>", "a<sup>b&lt;sup&gt;c</sup>&lt;/sup&gt;"),
        ("a<sup>b<sub>c<sup>d</sup></sub></sup>", None),
    ],
)
def test_breaks_and_raised_text(text: str, html: str | None) -> None:
    rendered = render_markdown(text)
    if html is None:
        assert rendered.count("<sup>") == 1
    else:
        assert html in rendered


def test_breaks_and_raised_text_in_tables() -> None:
    html = render_markdown("| a<br>b | H<sub>2</sub>O |\n|---|---|\n| m<sup>2</sup> | `<br>` |")
    for part in ("a<br>", "H<sub>2</sub>O", "m<sup>2</sup>", "&lt;br&gt;"):
        assert part in html


@pytest.mark.parametrize("base", ["a", "Z", "е", "א", "क"])
def test_marks_beyond_what_a_letter_bears_are_left_out_and_said_to_be(base: str) -> None:
    html = render_markdown(base + "\u0301" * 300 + "b")
    assert html.count("\u0301") == 6
    assert "(some combining marks left out)" in html


@pytest.mark.parametrize(
    "text",
    [
        "`a" + "\u0301" * 9 + "`",
        "a" + "\u0301\u200d" * 9,
        "&#x301;" * 9,
        "*a\u0301\u0301*" + "\u0301" * 9,
        "ก" + "\u0e47" * 9,
        "x" + "\u20dd" * 9,
    ],
)
def test_marks_cannot_hide_behind_markup(text: str) -> None:
    assert "(some combining marks left out)" in render_markdown(text)


@pytest.mark.parametrize(
    "text",
    ["שָׁ֥לוֹם בְּרֵאשִׁ֖ית", "مُحَمَّدٌ", "Tiếng Việt", "e\u0302\u0323", "ที่นี่", "क्षेत्र", "བསྒྲུབས", "ö̲"],
)
def test_marks_that_a_script_needs_stay(text: str) -> None:
    assert render_markdown(text) == f'<p dir="auto">{text}</p>\n'


@pytest.mark.parametrize(
    "character",
    "\u061c\u202a\u202e\u2066\u2069\u206a\u206f\ufff9\ufffb\ufeff\U000e0041\U000e0001\U0001d173\ufdd0",
)
def test_characters_that_deceive_are_gone(character: str) -> None:
    for text in (f"a{character}b", f"`a{character}b`", f"$a{character}$", f"a&#{ord(character)};b"):
        assert character not in render_markdown(text)
    assert character not in render_markdown(character * 200_000 + "x" * 200_000)


@pytest.mark.parametrize(
    "text", [SMALL, SCOTLAND, "می\u200cخواهم", "a\u200fb", "❤\ufe0f", "ไทย\u200bไทย"]
)
def test_characters_with_an_honest_use_stay(text: str) -> None:
    assert text in render_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n\n\t", "\u200b", "\u202e", "\ufeff", "\u3164", "\u2800", "\u00ad\u2060"),
        *("&nbsp;", "<br>", "[a]: https://example.org", "[](https://example.org)"),
        *("```\n```", "#", "-", "> "),
    ],
)
def test_an_empty_response_says_so(text: str) -> None:
    assert render_response(text) == '<p class="text-note">(empty response)</p>\n'


@pytest.mark.parametrize("text", ["0", "---", ".", "$x$", "![](x.png)", "<b>", SMALL, "`.`"])
def test_a_short_response_is_none(text: str) -> None:
    assert "empty response" not in render_response(text)


def test_deep_nesting_loses_nothing() -> None:
    for depth in (5, 8, 9, 12, 50):
        text = "".join("  " * level + f"- item{level}\n" for level in range(depth))
        html = render_markdown(text)
        assert all(f"item{level}" in html for level in range(depth))
    assert "(deeply nested: shown as source, without formatting)" in html
    assert "last" in render_markdown("> " * 60 + "last")


def test_no_text_can_speak_for_the_page() -> None:
    note = '<p class="text-note">'
    assert note not in render_markdown(f"{note}(empty response)</p>")
    assert note in render_response("")
