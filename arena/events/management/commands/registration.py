"""Print what an event has registered, and verify that only the record has changed it since."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arena.events.lifecycle.registration.checking import find_differences
from arena.events.models import Event, Registration


class Command(BaseCommand):
    """manage.py registration EVENT [--verify]"""

    help = (
        "Print what an event registered at its opening, to the letter. With --verify, compare it, "
        "and what the record of decisions has changed since, with what the database says now: "
        "prints true, or false and ends with 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", help="the event's slug")
        parser.add_argument(
            "--verify", action="store_true", help="whether the event is as registered and recorded"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        registration = find_registration(options["event"])
        if not options["verify"]:
            # Nothing after it: what is piped into sha256sum has the digest of the event page.
            self.stdout.write(registration.content, ending="")
            return
        if differences := find_differences(registration):
            self.stdout.write("false")
            names = ", ".join(differences)
            raise CommandError(f"Changed without a record: {names}.")
        self.stdout.write("true")


def find_registration(slug: str) -> Registration:
    """The registration of the event with this slug. Raises `CommandError` where there is none."""
    event = Event.objects.filter(slug=slug).first()
    if event is None:
        raise CommandError(f"There is no event {slug}.")
    registration = Registration.objects.filter(event=event).select_related("event").first()
    if registration is None:
        is_draft = event.state == Event.State.DRAFT
        why = "it has not opened yet" if is_draft else "it was opened before there was registration"
        raise CommandError(f"{slug} has registered nothing: {why}.")
    return registration
