"""Form fields for moments, which people mean on the clock of a time zone."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from arena.desk.forms.timezones import list_timezones


class LocalDateTimeInput(forms.DateTimeInput):
    """The browser's own picker for a date and a time; to the second with a `step` of 1."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


def to_local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """A moment in local time of a zone, naive and to the minute, as the picker shows it."""
    return moment and moment.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)


def from_local(typed: datetime, zone: ZoneInfo, before: datetime | None) -> datetime:
    """The moment that was typed as local time of a zone; exactly `before` where it was not
    changed."""
    local = timezone.make_naive(typed)
    # The clock shows no seconds, and some minutes twice a year.
    if before is not None and local == to_local(before, zone):
        return before
    return local.replace(tzinfo=zone)


class TimezoneField(forms.ChoiceField):
    """A time zone: any that there is, also where the list does not offer it."""

    def valid_value(self, value: Any) -> bool:
        """Whether the value is any IANA time zone, listed or not."""
        return value in list_timezones()
