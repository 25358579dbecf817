"""Untrusted Markdown to HTML that is safe to show: prompts, responses, guidelines, comments.

Two walls. The parser emits only what it built itself: raw HTML is text, addresses other than http,
https and mailto stay text, images become text. What comes out is then sanitised against an
allow-list. Colours are CSS classes (`static/css/code.css`), mathematics is MathML, so that a strict
content security policy holds. Nothing is cached: a text seen often must not render faster.
"""

import re
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape, unescape
from typing import Any
from xml.etree import ElementTree as ET

import nh3
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

# Past these a text is shown as written: rendering stays bounded whatever a model emits.
MAX_TEXT = 100_000
MAX_FORMULA = 2_000
MAX_FORMULAS_TOTAL = 20_000
MAX_CODE_TOTAL = 20_000
MAX_CODE_LINE = 500  # lexers backtrack along a line
TOP_HEADING = 3  # the page's own headings are above

# What is highlighted. Left out: languages whose lexers take quadratic time.
LANGUAGES = (
    "bash c c++ cpp c# csharp css diff go haskell html java javascript js json kotlin latex lua"
    " markdown md perl php python py python3 r ruby rust scala sh shell sql swift tex toml"
    " ts typescript xml yaml yml"
)
PLAIN_TAGS = (
    "p br hr h3 h4 h5 h6 ul li blockquote em strong s code pre span table thead tbody tr th td"
)
MATHML_ATTRIBUTES: dict[str, set[str]] = {
    "math": {"display"},
    "menclose": {"notation"},
    "mfrac": {"linethickness"},
    "mi": {"mathvariant"},
    "mn": {"mathvariant"},
    "mo": {"accent", "fence", "form", "largeop", "maxsize", "minsize", "movablelimits"}
    | {"separator", "stretchy", "symmetric", "mathvariant"},
    "mover": {"accent"},
    "mrow": set(),
    "mspace": {"width"},
    "msqrt": set(),
    "mstyle": {"displaystyle", "mathvariant", "scriptlevel"},
    "msub": set(),
    "msubsup": set(),
    "msup": set(),
    "mroot": set(),
    "mtable": {"columnalign", "columnlines", "displaystyle", "rowlines"},
    "mtd": {"columnalign"},
    "mtext": {"mathvariant"},
    "mtr": set(),
    "munder": {"accentunder"},
    "munderover": set(),
    "mmultiscripts": set(),
    "mprescripts": set(),
    "mphantom": set(),
}
HTML_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title"},
    "ol": {"start"},
    **{tag: set() for tag in PLAIN_TAGS.split()},
}
ALIGNMENTS = {"left": "to-start", "center": "to-center", "right": "to-end"}
LENGTHS = frozenset({"width", "minsize", "maxsize", "linethickness"})
# A length a formula may set: nothing negative or wide that could draw over the page.
LENGTH = re.compile(r"[0-5](\.\d{1,4})?(em|ex|pt|px)|[0-5](\.\d{1,4})?")

# Overrides, embeddings and isolates can make a text read as another; marks (LRM, RLM) cannot.
# The other control characters are invisible at best.
INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Message:
    """One turn of a prompt: who speaks, and what as safe HTML."""

    role: str
    html: str


def render_markdown(text: str) -> str:
    """Safe HTML of a Markdown text: CommonMark, tables, strikethrough, highlighted code, maths.

    Formulas stand between `$…$`, `$$…$$`, `\\(…\\)` or `\\[…\\]`. A text over `MAX_TEXT` characters
    is shown as written.
    """
    if len(text) > MAX_TEXT:
        return _clean(f"<pre>{escape(text)}</pre>")
    return _clean(_PARSER.render(text, {"formulas": 0, "code": 0}))


def render_messages(prompt: str | list[dict[str, Any]]) -> list[Message]:
    """The turns of a prompt; a plain string is one turn of the user."""
    turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return [
        Message(role=str(turn["role"]), html=render_markdown(str(turn["content"])))
        for turn in turns
    ]


def _clean(html: str) -> str:
    return INVISIBLE.sub("", _CLEANER.clean(html))


def _keep_attribute(tag: str, attribute: str, value: str) -> str | None:
    if attribute in LENGTHS and tag in MATHML_ATTRIBUTES and not LENGTH.fullmatch(value):
        return None
    return value


_CLEANER = nh3.Cleaner(
    tags=set(HTML_ATTRIBUTES) | set(MATHML_ATTRIBUTES),
    attributes=HTML_ATTRIBUTES | MATHML_ATTRIBUTES,
    attribute_filter=_keep_attribute,
    allowed_classes={
        "span": {name for name in STANDARD_TYPES.values() if name} | {"image"},
        "th": set(ALIGNMENTS.values()),
        "td": set(ALIGNMENTS.values()),
    },
    link_rel="nofollow noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},  # the page being judged stays
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)


def _is_link(url: str) -> bool:
    return url.lower().startswith(("http://", "https://", "mailto:"))


def _render_formula(latex: str, env: MutableMapping[str, Any], *, display: bool) -> str:
    """MathML of a formula, or its source as code where it is too long or cannot be read."""
    env["formulas"] += len(latex)
    if len(latex) <= MAX_FORMULA and env["formulas"] <= MAX_FORMULAS_TOTAL:
        try:
            root = convert_to_element(latex, display="block" if display else "inline")
            for node in root.iter():  # the library leaves references, and unescaped text
                node.text = unescape(node.text) if node.text else None
            return ET.tostring(root, encoding="unicode")
        except Exception:  # noqa: BLE001, S110 (it raises whatever its tables and recursion raise)
            pass
    return f"<code>{escape(latex)}</code>"


def _formula_rule(*, display: bool) -> Callable[..., str]:
    def render(
        self: RendererHTML,
        tokens: Sequence[Token],
        index: int,
        options: OptionsDict,
        env: MutableMapping[str, Any],
    ) -> str:
        return _render_formula(tokens[index].content.strip(), env, display=display)

    return render


def _bracket_math(state: StateInline, silent: bool) -> bool:
    r"""The inline rule for `\(…\)` and `\[…\]`, which many models write instead of dollars."""
    opener = state.src[state.pos : state.pos + 2]
    if opener not in (r"\(", r"\["):
        return False
    closer = r"\)" if opener == r"\(" else r"\]"
    start = state.pos + 2
    end = state.src.find(closer, start, min(state.posMax, start + MAX_FORMULA))
    if end < 0 or not state.src[start:end].strip():
        return False
    if not silent:
        name = "math_inline" if opener == r"\(" else "math_inline_double"
        state.push(name, "math", 0).content = state.src[start:end]
    state.pos = end + 2
    return True


def _render_fence(
    self: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    token = tokens[index]
    language = (token.info.split() or [""])[0].lower()
    env["code"] += len(token.content)
    html = escape(token.content)
    short = all(len(line) <= MAX_CODE_LINE for line in token.content.split("\n"))
    if language in _LANGUAGES and short and env["code"] <= MAX_CODE_TOTAL:
        with suppress(ClassNotFound):  # a language this version of Pygments does not know
            html = highlight(token.content, get_lexer_by_name(language), _FORMATTER)
    return f"<pre><code>{html}</code></pre>\n"


def _render_image(
    self: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    """Alt text and address: a remote image would leak readers' addresses and could unblind."""
    token = tokens[index]
    alt = self.renderInlineAsText(token.children or [], options, env)
    return f'<span class="image">[{escape(alt)}] {escape(str(token.attrs["src"]))}</span>'


def _settle(state: StateCore) -> None:
    """Headings start below the page's own and never jump a level; alignment becomes a class."""
    above: list[int] = []
    for token in state.tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while above and above[-1] >= level:
                above.pop()
            above.append(level)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(TOP_HEADING - 1 + len(above), 6)}"
        elif token.type in ("th_open", "td_open") and "style" in token.attrs:
            side = str(token.attrs.pop("style")).removeprefix("text-align:")
            token.attrs["class"] = ALIGNMENTS[side]


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    parser.enable(["table", "strikethrough"])
    parser.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        double_inline=True,
    )
    parser.inline.ruler.before("escape", "bracket_math", _bracket_math)
    parser.core.ruler.push("settle", _settle)
    parser.validateLink = _is_link  # type: ignore[method-assign]
    for name, display in (("inline", False), ("inline_double", True), ("block", True)):
        parser.add_render_rule(f"math_{name}", _formula_rule(display=display))
    parser.add_render_rule("fence", _render_fence)
    parser.add_render_rule("image", _render_image)
    return parser


_LANGUAGES = frozenset(LANGUAGES.split())
_FORMATTER = HtmlFormatter(nowrap=True)
_PARSER = _make_parser()
