"""Rendering untrusted Markdown (prompts, responses, guidelines, comments) to safe HTML.

There are two defences. The parser emits only elements it built itself: raw HTML becomes text
(except `<br>`, `<sub>` and `<sup>`), as do images and links other than http, https and mailto. The
output is then sanitised against an allow-list. Colours are CSS classes (`static/css/code.css`) and
formulas are emitted as source, which the browser draws (`static/js/math.js`), so that a strict
content security policy holds. `isolation` renders what strangers wrote in a process apart, within a
budget; `RENDERER_VERSION` says which output this is, wherever it is kept.
"""

from arena.markup.rendering import (
    MAX_TEXT,
    RENDERER_VERSION,
    RenderedMessage,
    render_as_source,
    render_markdown,
    render_messages,
    render_response,
)

__all__ = [
    "MAX_TEXT",
    "RENDERER_VERSION",
    "RenderedMessage",
    "render_as_source",
    "render_markdown",
    "render_messages",
    "render_response",
]
