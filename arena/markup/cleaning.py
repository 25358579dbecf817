"""The second defence: the allow-list of HTML, and of characters."""

import re
from collections.abc import Iterable
from html import unescape
from unicodedata import category

import nh3
from pygments.token import STANDARD_TYPES

from arena.markup.blocks import ALIGNMENTS, WIDE_NUMBERS

PLAIN_TAGS = "br hr ul em strong s code pre span thead tbody tr sub sup"
DIRECTED_TAGS = "p h3 h4 h5 h6 li blockquote table th td pre code"
HTML_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title"},
    "ol": {"start"},
    **{tag: set() for tag in PLAIN_TAGS.split()},
    **{tag: {"dir"} for tag in DIRECTED_TAGS.split()},
}
# Overrides, embeddings, isolates and the Arabic letter mark can make a text read as another; marks
# (LRM, RLM) cannot. The others are invisible at best: control characters, deprecated format
# characters, annotation anchors, format characters of musical and shorthand notation, tags,
# surrogates without their half, and what is no character at all.
HIDDEN_CHARACTERS = (
    "\u061c\u202a-\u202e\u2066-\u206f\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufff9-\ufffb\ufdd0-\ufdef"
    "\ufffe\uffff\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
# Tags have one honest use, the flags of England, Scotland and Wales.
CONTROL_PATTERN = re.compile(
    f"(\U0001f3f4[\U000e0020-\U000e007e]{{1,8}}\U000e007f)|[{HIDDEN_CHARACTERS}]"
)

# No script stacks more marks on a letter; texts that overprint their neighbours stack hundreds.
MAX_MARKS = 6
MAX_TIBETAN_MARKS = 12
TIBETAN = re.compile("[\u0f71-\u0fbc]")
# Invisible characters that may stand between a letter and its marks.
INVISIBLE_JOINERS = "\u00ad\u200b-\u200f\u2060-\u2064"
# Spaces, and other characters without visible ink.
BLANK_PATTERN = re.compile(
    "[\\s\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028\u2029"
    "\u2060-\u2064\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]+"
)
ANY_TAG = re.compile("<[^>]*>")


def clean_html(html: str) -> str:
    """Remove everything but allowed elements, attributes, classes, URL schemes and characters."""
    return strip_controls(_CLEANER.clean(html))


def strip_controls(text: str) -> str:
    """Remove deceptive and invisible characters."""
    if _CONTROL_SET.isdisjoint(text):  # the common case, and much faster
        return text
    return CONTROL_PATTERN.sub(lambda found: found[1] or "", text)


def limit_marks(html: str) -> tuple[str, bool]:
    """Limit combining marks to `MAX_MARKS` per letter; also returns whether nothing was removed."""
    if _MARK_SET.isdisjoint(html):
        return html, True
    limited = _RUN.sub(_limit_run, html)
    return limited, limited == html


def is_blank_html(html: str) -> bool:
    """Whether nothing in this HTML is visible."""
    return "<hr" not in html and not BLANK_PATTERN.sub("", unescape(ANY_TAG.sub("", html)))


def _limit_run(run: re.Match[str]) -> str:
    """Limit the marks of one letter, keeping tags between them."""
    kept, left = [], MAX_MARKS
    for part in _PIECE.findall(run[0]):
        if _MARKED.match(part):
            limit = left + MAX_TIBETAN_MARKS - MAX_MARKS if TIBETAN.match(part) else left
            left -= 1
            if limit <= 0:
                continue
        kept.append(part)
    return "".join(kept)


def _build_ranges(codes: Iterable[int]) -> str:
    """Ascending code points as ranges of a regular expression's character class."""
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_CODES = [*range(0x20000), *range(0xE0000, 0xE0200)]  # there are neither marks nor controls beyond
_CONTROL_SET = frozenset(chr(code) for code in _CODES if CONTROL_PATTERN.match(chr(code)))
_MARK_CODES = [code for code in _CODES if category(chr(code)).startswith("M")]
_MARK_SET = frozenset(map(chr, _MARK_CODES))
_MARKS = _build_ranges(_MARK_CODES)
_MARKED = re.compile(f"[{_MARKS}]")
_PIECE = re.compile("<[^>]*>|.", re.DOTALL)
_RUN = re.compile(f"[{_MARKS}](?:[{_MARKS}{INVISIBLE_JOINERS}]|<[^>]*>){{{MAX_MARKS},}}")
_CLEANER = nh3.Cleaner(
    tags=set(HTML_ATTRIBUTES),
    attributes=HTML_ATTRIBUTES,
    allowed_classes={
        "span": {name for name in STANDARD_TYPES.values() if name} | {"image"},
        "th": set(ALIGNMENTS.values()),
        "td": set(ALIGNMENTS.values()),
        "ol": set(WIDE_NUMBERS.values()),
        "code": {"math", "math-source"},
        "pre": {"source"},
    },
    link_rel="nofollow noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},  # the page being judged stays
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)
