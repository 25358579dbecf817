"""A site without its budgets (`bench.hostile_settings`)."""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig


class UnlimitedConfig(AppConfig):
    """Takes the budgets away before anything that keeps them is imported."""

    name = "bench.unlimited"

    def ready(self) -> None:
        """Read files to their end, and render for every view, here."""
        from arena.events import rendering  # noqa: PLC0415 - needs models
        from arena.events.importing.reading import budget  # noqa: PLC0415

        budget.MAX_WRONG_LINES = 10**12
        budget.BudgetStream.check = lambda _stream: None  # type: ignore[method-assign]
        rendering.ensure_rendered = render_here


def render_here(records: Iterable[int], *_: Any) -> None:
    """Render the texts of these records, as if none of them was kept."""
    from arena.events.models import Record, Response  # noqa: PLC0415
    from arena.markup import render_messages, render_response  # noqa: PLC0415

    keys = list(records)
    for prompt in Record.objects.filter(pk__in=keys).values_list("prompt", flat=True):
        render_messages(prompt)
    for text in Response.objects.filter(record__in=keys).values_list("text", flat=True):
        render_response(text)
