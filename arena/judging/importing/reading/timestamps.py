"""Parsing dates and times in the formats of other tools."""

import re
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime

# Seconds, milliseconds, microseconds or nanoseconds since 1970, by the number of digits.
EPOCH = re.compile(r"(\d{9,11}|\d{12,14}|\d{15,16}|\d{18,19})(\.\d+)?")
PER_SECOND = {9: 1, 12: 10**3, 15: 10**6, 18: 10**9}
SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d{1,2}")
# "… UTC", "… GMT", "… Z", and an offset with a blank before it or "UTC" before that.
ZONE = re.compile(r"\s*(?:UTC|GMT|Z)?\s*([+-]\d{2}(?::?\d{2})?)?\s*", re.IGNORECASE)
ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T\s]+(\d{1,2}:\d{2}(?::\d{2})?)([.,]\d+)?)?"
)
# The day before the month, as dots say; with slashes nobody knows.
DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,?\s+(\d{1,2}:\d{2}(?::\d{2})?))?")
SLASHED = re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}\b.*")


def parse_timestamp(value: str | float, zone: tzinfo) -> datetime:
    """Parse a time to UTC: ISO 8601 and similar, the date format of e-mails, or a Unix time.

    `zone` applies if none is given. Raises `ValueError` with a message for the user.
    """
    text = str(value).strip()
    if SCIENTIFIC.fullmatch(text):
        text = repr(float(text))
    if EPOCH.fullmatch(text):
        return datetime.fromtimestamp(epoch_to_seconds(text), UTC)
    if SLASHED.fullmatch(text):
        raise ValueError("day and month cannot be told apart; write 2026-05-01")
    moment = parse_date(text) or parse_mail_date(text)
    if moment is None:
        raise ValueError(
            "must be a date and time like 2026-05-01T10:00:00Z (ISO 8601), or seconds since 1970"
        )
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is no date of this calendar") from error


def epoch_to_seconds(digits: str) -> float:
    """Convert a Unix time in seconds, milli-, micro- or nanoseconds to seconds."""
    whole = len(digits.partition(".")[0])
    unit = max(least for least in PER_SECOND if least <= whole)
    return float(digits) / PER_SECOND[unit]


def parse_date(text: str) -> datetime | None:
    """Parse a date with optional time and zone; None if the text is not one."""
    if match := ISO.match(text):
        year, month, day, time, fraction = match.groups()
    elif match := DOTTED.match(text):
        (day, month, year, time), fraction = match.groups(), None
    else:
        return None
    rest = text[match.end() :]
    zone = ZONE.fullmatch(rest)
    if zone is None or (rest.strip() and not time):
        return None
    clock = (time or "0:00").zfill(5 if (time or "").count(":") < 2 else 8)
    micro = (fraction or ".0")[1:7].ljust(6, "0")
    clock += ":00" if clock.count(":") < 2 else ""
    offset = zone[1] or ("+00:00" if rest.strip() else "")
    if 0 < len(offset) < 5:
        offset += ":00"
    try:
        return datetime.fromisoformat(
            f"{year}-{int(month):02}-{int(day):02}T{clock}.{micro}{offset}"
        )
    except ValueError:
        return None


def parse_mail_date(text: str) -> datetime | None:
    """Parse the date format of e-mail headers, such as "Fri, 01 May 2026 10:00:00 GMT"."""
    if not re.search(r"[A-Za-z]{3}", text) or not re.search(r"([+-]\d{4}|GMT|UTC|Z)\s*$", text):
        return None
    try:
        return parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
