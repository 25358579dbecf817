"""Heads of ledgers, told to somebody else: who has one can show that the end was cut off."""

import json
from datetime import datetime
from typing import Any
from urllib.request import Request, urlopen

from django.conf import settings
from django.core.mail import send_mail

from arena.events.models import Event, LedgerEntry

POST_SECONDS = 20


def get_chain_head(event_id: int) -> str:
    """The digest of the last entry in an event's chain; "" before the first."""
    last = LedgerEntry.objects.sealed().filter(event=event_id).last()
    return last.digest if last else ""


def publish_heads(now: datetime) -> int:
    """Mail and post the heads of all ledgers, where that is set up; returns how many."""
    if not (settings.LEDGER_HEADS_MAIL or settings.LEDGER_HEADS_URL):
        return 0
    heads = collect_heads()
    if heads and settings.LEDGER_HEADS_MAIL:
        lines = [f"{slug} {head}" for slug, head in heads.items()]
        send_mail(
            f"Heads of ledgers, {now:%Y-%m-%d}",
            "\n".join([*lines, "", "To compare: manage.py verify_ledger EVENT --head HEAD"]),
            settings.DEFAULT_FROM_EMAIL,
            settings.LEDGER_HEADS_MAIL,
        )
    if heads and settings.LEDGER_HEADS_URL:
        post_json(settings.LEDGER_HEADS_URL, {"at": now.isoformat(), "heads": heads})
    return len(heads)


def collect_heads() -> dict[str, str]:
    """The head of every event that has one, by its address."""
    events = Event.objects.filter(ledger_entries__number=1).order_by("slug")
    return {slug: get_chain_head(pk) for pk, slug in events.values_list("pk", "slug")}


def post_json(url: str, body: dict[str, Any]) -> None:
    """Post to an address that the operator has set. Raises `OSError` where it does not answer."""
    data = json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - http(s) only
    with urlopen(request, timeout=POST_SECONDS):  # noqa: S310 - checked in the settings
        pass
