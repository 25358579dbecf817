"""Verify that everything boards follow from is as the ledger has it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arena.events.models import Event
from arena.judging.ledger import verify_ledger
from arena.judging.ledger.heads import get_chain_head
from arena.judging.ledger.verifying import MIN_HEAD_DIGITS, has_head


class Command(BaseCommand):
    """manage.py verify_ledger [EVENT] [--head HEAD]"""

    help = "Verify ledgers from their first entry; ends with 1 and the first row that differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", nargs="?", help="the event's slug; without it, every event")
        parser.add_argument(
            "--head",
            default="",
            help=f"a head that was published, or its first {MIN_HEAD_DIGITS} digits: the ledger "
            "must have come by it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug, head = options["event"], options["head"].strip().lower().rstrip("…")
        events = Event.objects.order_by("slug")
        if slug:
            events = events.filter(slug=slug)
            if not events.exists():
                raise CommandError(f"There is no event {slug}.")
        if head and not slug:
            raise CommandError("Say which event the head is of.")
        if head and len(head) < MIN_HEAD_DIGITS:
            raise CommandError(f"Of the head, {MIN_HEAD_DIGITS} digits or more are needed.")
        failed = [event.slug for event in events if not self.verify(event, head)]
        if failed:
            raise CommandError(f"Not as written: {', '.join(failed)}.")

    def verify(self, event: Event, head: str) -> bool:
        """Verify one ledger and say what was found."""
        difference = verify_ledger(event.pk)
        if difference is not None:
            self.stdout.write(f"{event.slug}: {difference}")
            return False
        if head and not has_head(event.pk, head):
            self.stdout.write(
                f"{event.slug}: the ledger has never had the head {head}: its end was cut off, or "
                "it was written anew."
            )
            return False
        self.stdout.write(
            f"{event.slug}: as written, head {get_chain_head(event.pk) or 'none yet'}"
        )
        return True
