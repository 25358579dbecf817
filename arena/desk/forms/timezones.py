"""The time zones that set-up offers: those people live by, grouped and with their offsets."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from arena.events.timezones import timezone_names

# IANA names with what people call them.
OFFERED_ZONES: dict[Any, dict[str, Any]] = {
    _("Everywhere"): {"UTC": _("Coordinated universal time")},
    _("Europe"): {
        "Atlantic/Reykjavik": _("Reykjavik"),
        "Europe/London": _("London, Dublin, Lisbon"),
        "Europe/Berlin": _("Berlin, Paris, Rome, Warsaw"),
        "Europe/Athens": _("Athens, Helsinki, Kyiv"),
        "Europe/Istanbul": _("Istanbul"),
        "Europe/Moscow": _("Moscow, Minsk"),
    },
    _("Americas"): {
        "America/Anchorage": _("Anchorage"),
        "America/Los_Angeles": _("Los Angeles, Vancouver"),
        "America/Denver": _("Denver, Edmonton"),
        "America/Phoenix": _("Phoenix"),
        "America/Chicago": _("Chicago, Winnipeg"),
        "America/Mexico_City": _("Mexico City"),
        "America/New_York": _("New York, Toronto"),
        "America/Bogota": _("Bogotá, Lima"),
        "America/Halifax": _("Halifax"),
        "America/Caracas": _("Caracas"),
        "America/Santiago": _("Santiago"),
        "America/St_Johns": _("St. John’s"),
        "America/Sao_Paulo": _("São Paulo"),
        "America/Argentina/Buenos_Aires": _("Buenos Aires"),
    },
    _("Africa and the Middle East"): {
        "Africa/Abidjan": _("Abidjan, Accra, Dakar"),
        "Africa/Casablanca": _("Casablanca"),
        "Africa/Lagos": _("Lagos, Kinshasa"),
        "Africa/Johannesburg": _("Johannesburg, Harare"),
        "Africa/Cairo": _("Cairo"),
        "Asia/Jerusalem": _("Jerusalem"),
        "Asia/Beirut": _("Beirut"),
        "Africa/Nairobi": _("Nairobi, Addis Ababa"),
        "Asia/Riyadh": _("Riyadh, Baghdad"),
        "Asia/Tehran": _("Tehran"),
        "Asia/Dubai": _("Dubai"),
    },
    _("Asia"): {
        "Asia/Tashkent": _("Tashkent, Almaty"),
        "Asia/Karachi": _("Karachi"),
        "Asia/Kolkata": _("Delhi, Mumbai, Bengaluru"),
        "Asia/Kathmandu": _("Kathmandu"),
        "Asia/Dhaka": _("Dhaka"),
        "Asia/Yangon": _("Yangon"),
        "Asia/Bangkok": _("Bangkok, Hanoi, Jakarta"),
        "Asia/Shanghai": _("Beijing, Shanghai"),
        "Asia/Singapore": _("Singapore, Kuala Lumpur"),
        "Asia/Manila": _("Manila"),
        "Asia/Taipei": _("Taipei"),
        "Asia/Seoul": _("Seoul"),
        "Asia/Tokyo": _("Tokyo"),
    },
    _("Pacific"): {
        "Australia/Perth": _("Perth"),
        "Australia/Darwin": _("Darwin"),
        "Australia/Adelaide": _("Adelaide"),
        "Australia/Brisbane": _("Brisbane"),
        "Australia/Sydney": _("Sydney, Melbourne"),
        "Pacific/Auckland": _("Auckland"),
        "Pacific/Honolulu": _("Honolulu"),
    },
}


@cache
def list_timezones() -> list[str]:
    """All IANA names."""
    return sorted(timezone_names())


def timezone_choices(now: datetime, chosen: str = "") -> list[tuple[Any, Any]]:
    """What a select offers, west to east in each group; a zone chosen before is always there."""
    known = any(chosen in zones for zones in OFFERED_ZONES.values())
    own = [(chosen, label_zone(chosen, chosen.replace("_", " "), now))] if chosen else []
    groups = [(_("Chosen before"), own)] if own and not known else []
    for group, zones in OFFERED_ZONES.items():
        in_order = sorted(zones, key=lambda name: utc_offset(name, now))
        groups.append((group, [(name, label_zone(name, zones[name], now)) for name in in_order]))
    return groups


def utc_offset(name: str, now: datetime) -> timedelta:
    """How far a zone's clocks are ahead of UTC at this moment."""
    return now.astimezone(ZoneInfo(name)).utcoffset() or timedelta()


def label_zone(name: str, places: Any, now: datetime) -> str:
    """The places with the offset: "Delhi, Mumbai (UTC+5:30)"."""
    minutes = round(utc_offset(name, now).total_seconds() / 60)
    sign, (hours, rest) = "−" if minutes < 0 else "+", divmod(abs(minutes), 60)
    ahead = f"{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else ""
    return f"{places} (UTC{ahead})"
