"""The seat sheet of an event."""

from collections.abc import Sequence

from django.urls import reverse

from arena.events.models import Event
from arena.people.seats.printed_sheet import SheetContext, build_sheet_zip
from arena.people.seats.provisioning import Slip


def build_event_sheet(event: Event, slips: Sequence[Slip], site: str) -> bytes:
    """The ZIP of CSV and PDF for slips that were just made; `site`: https://host, no slash.

    The codes are in plain text in this answer and nowhere else.
    """
    claim_url = reverse("events:claim", args=["TOKEN"]).replace("TOKEN", "{token}")
    occasion = SheetContext(
        title=event.title,
        slug=event.slug,
        login_url=site + reverse("account_login"),
        claim_url=site + claim_url,
    )
    return build_sheet_zip(occasion, slips)
