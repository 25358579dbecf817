"""Highlighting code, by CSS classes and within a budget."""

from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from html import escape
from typing import Any

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Code past these limits is not highlighted.
MAX_CODE_TOTAL = 20_000
MAX_CODE_LINE = 500  # lexers backtrack along a line

# Highlighted languages, without those whose lexers take quadratic time.
LANGUAGES = (
    "bash c c++ cpp c# csharp css diff go haskell html java javascript js json kotlin latex lua"
    " markdown md perl php python py python3 r ruby rust scala sh shell sql swift tex toml"
    " ts typescript xml yaml yml"
)
_LANGUAGES = frozenset(LANGUAGES.split())
_FORMATTER = HtmlFormatter(nowrap=True)


def render_fence(
    self: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    """Render a fenced code block, highlighted if its language is known and the budget allows."""
    token = tokens[index]
    language = (token.info.split() or [""])[0].lower()
    env["code"] += len(token.content)
    html = escape(token.content)
    short = all(len(line) <= MAX_CODE_LINE for line in token.content.split("\n"))
    if language in _LANGUAGES and short and env["code"] <= MAX_CODE_TOTAL:
        with suppress(ClassNotFound):  # a language this version of Pygments does not know
            html = highlight(token.content, get_lexer_by_name(language), _FORMATTER)
    return f'<pre dir="ltr"><code dir="ltr">{html}</code></pre>\n'
