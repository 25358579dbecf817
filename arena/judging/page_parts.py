"""Parts of the judging page that are the same for every matchup, rendered once by each process.

Nothing of a contributor or of a matchup is in them but an assignment's address, which is put in
afterwards, and no token: that is sent in a header where htmx swaps the page's parts.
"""

from functools import cache
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from arena.events.current_rules import EventRules
from arena.events.models import Event
from arena.judging.models import Assignment, Flag

# Stands for an assignment's address; no assignment has it.
PLACEHOLDER = UUID(int=0)
SKIP_REASONS = [
    (value, label)
    for value, label in Assignment.SkipReason.choices
    if value != Assignment.SkipReason.FLAGGED
]


def render_dialogs(uuid: UUID) -> SafeString:
    """The dialogs for skipping and flagging this assignment, for a page that htmx swaps in."""
    html = render_dialogs_once(get_language())
    return mark_safe(html.replace(str(PLACEHOLDER), str(uuid)))  # noqa: S308 - a template's output


@cache
def render_dialogs_once(_language: str | None) -> str:
    """The dialogs in the language in force, with the placeholder's address."""
    context = {
        "uuid": PLACEHOLDER,
        "skip_reasons": SKIP_REASONS,
        "flag_reasons": Flag.Reason.choices,
        "htmx": True,
    }
    return render_to_string("judging/_reason_dialogs.html", context)


def render_questions(questions: list[Any]) -> SafeString:
    """These questions, each by its kind's template."""
    parts = [render_to_string(shown.template, {"question": shown}) for shown in questions]
    return mark_safe("".join(parts))  # noqa: S308 - the output of templates


def render_blank_questions(rules: EventRules, event: Event, questions: list[Any]) -> SafeString:
    """The same where nothing is filled in: rendered once for each state of the event."""
    key = ("questions", get_language(), event.scale, event.both_bad)
    html = rules.kept.get(key)
    if html is None:
        html = rules.kept[key] = render_questions(questions)
    return html
