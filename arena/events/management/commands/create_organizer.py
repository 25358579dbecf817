"""manage.py create_organizer NAME: an account that looks after events."""

from argparse import ArgumentParser
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from arena.events.models import Event, Membership
from arena.people.codes import draw_code
from arena.people.hashers import hash_code
from arena.people.models import User


class Command(BaseCommand):
    """Create an organizer's account; its access code is printed once and stored as a hash."""

    help = "Create an organizer and print their access code, or make an existing user organizer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="username")
        parser.add_argument("--email", default="", help="address for signing in by e-mailed code")
        parser.add_argument("--event", default="", help="slug of an event to organize")

    def handle(self, *args: Any, **options: Any) -> None:
        event = self.find_event(options["event"])
        user = User.objects.filter(username=options["name"]).first()
        if user is not None and event is None:
            raise CommandError(f"There is a user {options['name']!r} already.")
        # The account and its office come together, so that a refused one can be tried again.
        with transaction.atomic():
            code = ""
            if user is None:
                user, code = self.create_user(options["name"], options["email"])
            if event is not None:
                self.make_organizer(user, event)
        self.print_account(user, code, event)

    def find_event(self, slug: str) -> Event | None:
        """The event to organize, if one is named."""
        if not slug:
            return None
        event = Event.objects.filter(slug=slug).first()
        if event is None:
            raise CommandError(f"There is no event {slug!r}.")
        return event

    def create_user(self, name: str, email: str) -> tuple[User, str]:
        """The account and its fresh code."""
        code = draw_code()
        user = User(username=name, email=email, password=hash_code(code))
        try:
            user.full_clean()
            if email:
                validate_email(email)
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        if email and EmailAddress.objects.filter(email__iexact=email).exists():
            raise CommandError("This address belongs to another account.")
        user.save()
        if email:
            EmailAddress.objects.create(user=user, email=email, primary=True)
        return user, code

    def make_organizer(self, user: User, event: Event) -> None:
        """The office, unless this user judges in the event."""
        if event.enrollments.filter(user=user).exists():
            raise CommandError(f"{user} judges in {event.slug} and cannot organize it.")
        Membership.objects.update_or_create(
            event=event, user=user, defaults={"role": Membership.Role.ORGANIZER}
        )

    def print_account(self, user: User, code: str, event: Event | None) -> None:
        """What was made, with the code: this once."""
        if code:
            self.stdout.write(f"Username:    {user.username}")
            self.stdout.write(f"Access code: {code}")
            self.stdout.write(f"Sign in at   {settings.SITE_URL}{reverse('account_login')}")
            self.stdout.write(f"             ({settings.ADDRESS.origin})")
        if event is not None:
            self.stdout.write(f"{user.username} organizes {event.slug}.")
