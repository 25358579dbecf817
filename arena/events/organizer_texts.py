"""What organizers write about their event, as safe HTML: guidelines, description, prize, terms.

Anybody may be an organizer, so that these texts too are rendered in a process apart, within a
budget. The cache keeps the HTML by the text's digest.
"""

import time
from functools import lru_cache
from hashlib import sha256

from django.core.cache import cache

from arena.markup import RENDERER_VERSION, render_as_source
from arena.markup.isolation import (
    RenderingDelayedError,
    SourceText,
    get_process,
    render_page,
)

KEEP_SECONDS = 24 * 3600
# What a page waits, and how long it then shows the source before it tries again.
PATIENCE_SECONDS, PAUSE_SECONDS = 2.0, 5
# Texts that each process keeps besides, for pages that are opened every second.
MAX_KEPT = 50


def render_organizer_text(text: str) -> str:
    """The text as safe HTML; as source where that costs too much or is not ready in time."""
    try:
        return render_or_raise(text) if text else ""
    except RenderingDelayedError:
        return render_as_source(text)


@lru_cache(maxsize=MAX_KEPT)
def render_or_raise(text: str) -> str:
    """The text as safe HTML, or as source where that costs too much.

    Raises `RenderingDelayedError` where it is not ready in time, and was not a moment ago.
    """
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    key = f"markdown:{RENDERER_VERSION}:{digest}"
    kept: str | None = cache.get(key)
    if kept is not None:
        return kept
    if cache.get(f"{key}:pause"):
        raise RenderingDelayedError
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        (html,) = render_page(get_process(), [SourceText(text)], deadline=deadline)
    except RenderingDelayedError:
        cache.set(f"{key}:pause", 1, PAUSE_SECONDS)
        raise
    cache.set(key, html, KEEP_SECONDS)
    return html
