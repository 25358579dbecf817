"""Untrusted Markdown to HTML that is safe to show: prompts, responses, guidelines, comments.

Two walls. The parser emits only what it built itself: raw HTML is text (but for `<br>`, `<sub>` and
`<sup>`), addresses other than http, https and mailto stay text, images become text. What comes out
is then sanitised against an allow-list. Colours are CSS classes (`static/css/code.css`) and
mathematics leaves as its source, which the browser draws (`static/js/math.js`), so that a strict
content security policy holds. Nothing is cached: a text seen often must not render faster.
"""

from arena.markup.rendering import (
    MAX_TEXT,
    Message,
    render_markdown,
    render_messages,
    render_response,
)

__all__ = ["MAX_TEXT", "Message", "render_markdown", "render_messages", "render_response"]
