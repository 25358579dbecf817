"""Template tags of the interface: rendered Markdown, counts and icons."""

from datetime import datetime
from functools import cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from arena.events.lifecycle.phases import Phase, phase_of
from arena.events.lifecycle.prizes import turns_for_prize
from arena.events.models import Event, Record, Response
from arena.events.organizer_texts import render_organizer_text
from arena.events.rendering import load_messages, load_response_html
from arena.mail import offers_mail
from arena.markup import RenderedMessage
from arena.request_id import get_request_id

register = template.Library()


@register.filter
def markdown(text: str) -> SafeString:
    """A text of an organizer's as sanitised HTML; see `arena.markup`."""
    return mark_safe(render_organizer_text(text))  # noqa: S308 (sanitised by nh3 against an allow-list)


@register.filter
def turns(record: Record) -> list[RenderedMessage]:
    """The turns of a record's prompt, each with its role and its sanitised HTML."""
    return load_messages(record)


@register.filter
def rendered(response: Response) -> SafeString:
    """A response as sanitised HTML; an empty one says so."""
    return mark_safe(load_response_html(response))  # noqa: S308 (as above)


@register.filter
def get(rows: dict[Any, Any], key: Any) -> Any:
    """What a mapping holds under a key; None for nothing."""
    return rows.get(key)


@register.filter
def grouped(number: int) -> str:
    """A count with its thousands apart, in the reader's language."""
    return number_format(number, force_grouping=True)


@register.filter
def as_percent(share: float) -> str:
    """A share of 1 in whole per cent."""
    return f"{round(100 * share)}%"


@register.simple_tag
def phase(event: Event) -> Phase:
    """What is true of the event now, and the words for it: `{% phase event as phase %}`."""
    return phase_of(event, timezone.now())


@register.simple_tag
def request_id() -> str:
    """The name of this request in the log: `{% request_id as name %}`."""
    return get_request_id()


@register.simple_tag
def can_mail() -> bool:
    """Whether a message that somebody asks for reaches them: `{% can_mail as can_mail %}`."""
    return offers_mail()


@register.filter
def judgments_needed(event: Event) -> int:
    """How many judgments of one person it takes before everybody who skips nothing is rated."""
    return turns_for_prize(event)


@register.filter
def is_ahead(moment: datetime | None) -> bool:
    """Whether a time, if there is one, has yet to come; `timeuntil` says how long that takes."""
    return moment is not None and moment > timezone.now()


@register.filter
def signed(number: float) -> str:
    """A rounded number with its sign, a true minus, and its thousands apart."""
    rounded = round(number)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return sign + number_format(abs(rounded), force_grouping=True)


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """A line icon of `img/icons.svg`, invisible to screen readers: the text beside it speaks."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )
