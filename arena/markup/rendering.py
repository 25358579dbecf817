"""The configured Markdown parser, and the functions that render with it."""

import re
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from arena.markup.blocks import finalize_blocks
from arena.markup.cleaning import clean_html, is_blank_html, limit_marks, strip_controls
from arena.markup.highlighting import render_fence
from arena.markup.inline import add_inline_rules
from arena.markup.mathematics import add_mathematics

# Raised whenever the same text gives other HTML: what is stored is then rendered anew.
RENDERER_VERSION = 1
# Longer texts are shown as source, so that rendering is bounded whatever a model emits.
MAX_TEXT = 100_000
# Levels of blocks; a list in a list makes two. The parser drops deeper ones.
MAX_NESTING = 20
MAX_LEVEL = MAX_NESTING - 3
LINE_ENDS = re.compile("\r\n?")

EMPTY_NOTE = '<p class="text-note">(empty response)</p>\n'
TOO_LONG_NOTE = '<p class="text-note">(very long: shown as source, without formatting)</p>\n'
TOO_DEEP_NOTE = '<p class="text-note">(deeply nested: shown as source, without formatting)</p>\n'
TOO_COSTLY_NOTE = (
    '<p class="text-note">(costly to format: shown as source, without formatting)</p>\n'
)
MARKS_OMITTED_NOTE = '<p class="text-note">(some combining marks left out)</p>\n'


@dataclass(frozen=True)
class RenderedMessage:
    """One turn of a prompt: its role, and its content as safe HTML."""

    role: str
    html: str


def render_markdown(text: str) -> str:
    """Render Markdown to safe HTML: CommonMark, tables, strikethrough, highlighted code, formulas.

    A text over `MAX_TEXT` characters is shown as source. Notes that are not part of the text are
    paragraphs with the class `text-note`, which no text can produce.
    """
    text = strip_controls(LINE_ENDS.sub("\n", text))
    if len(text) > MAX_TEXT:
        note, html = TOO_LONG_NOTE, _render_source(text)
    else:
        tokens = _PARSER.parse(text, env := {"formulas": 0, "code": 0, "scanned": 0})
        if max((token.level for token in tokens), default=0) > MAX_LEVEL:
            note, html = TOO_DEEP_NOTE, _render_source(text)
        else:
            note, html = "", _PARSER.renderer.render(tokens, _PARSER.options, env)
    html, is_complete = limit_marks(clean_html(html))
    return note + html + ("" if is_complete else MARKS_OMITTED_NOTE)


def render_response(text: str) -> str:
    """Render a response to safe HTML, with a note if nothing of it is visible."""
    html = render_markdown(text)
    return EMPTY_NOTE if is_blank_html(html) else html


def render_as_source(text: str) -> str:
    """A text as source, with a note; quick for any text that is not empty."""
    html, is_complete = limit_marks(_render_source(strip_controls(LINE_ENDS.sub("\n", text))))
    return TOO_COSTLY_NOTE + html + ("" if is_complete else MARKS_OMITTED_NOTE)


def render_messages(prompt: str | list[dict[str, Any]]) -> list[RenderedMessage]:
    """Render the turns of a prompt; a plain string is one turn of the user."""
    turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return [
        RenderedMessage(role=str(turn["role"]), html=render_markdown(str(turn["content"])))
        for turn in turns
    ]


def _render_source(text: str) -> str:
    return f'<pre class="source" dir="auto">{escape(text)}</pre>'


def _is_link(url: str) -> bool:
    return url.lower().startswith(("http://", "https://", "mailto:"))


def _render_image(
    self: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    """Show alt text and address: a remote image would reveal readers' addresses and might
    unblind."""
    token = tokens[index]
    alt = self.renderInlineAsText(token.children or [], options, env)
    return f'<span class="image">[{escape(alt)}] {escape(str(token.attrs["src"]))}</span>'


def _render_code(
    self: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    """Code is left to right and does not determine the direction of surrounding text."""
    token = tokens[index]
    html = f'<code dir="ltr">{escape(token.content)}</code>'
    return html if token.type == "code_inline" else f'<pre dir="ltr">{html}</pre>\n'


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_NESTING})
    parser.enable(["table", "strikethrough"])
    add_mathematics(parser)
    add_inline_rules(parser)
    parser.core.ruler.push("settle", finalize_blocks)
    parser.validateLink = _is_link  # type: ignore[method-assign]
    parser.add_render_rule("fence", render_fence)
    parser.add_render_rule("code_inline", _render_code)
    parser.add_render_rule("code_block", _render_code)
    parser.add_render_rule("image", _render_image)
    return parser


_PARSER = _make_parser()
