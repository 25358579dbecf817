from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse
from django.utils import timezone

from arena.judging.demo.sample_event import Login, get_or_create_sample_event, reissue_sample_logins


class Command(BaseCommand):
    help = "Make the sample event where it is missing, and print its addresses and fresh logins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", default=settings.SITE_URL, help="where the site is served: %(default)s"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        event = get_or_create_sample_event(now)
        logins = reissue_sample_logins(event, now)
        site = options["url"].rstrip("/")
        lines = [
            "",
            f"  {event.title}",
            "",
            f"  Event        {site}{reverse('events:event', args=[event.slug])}",
            f"  Leaderboard  {site}{reverse('leaderboard:board', args=[event.slug])}",
            f"  Sign in      {site}{reverse('account_login')}",
            "",
            *(self.line(role, login) for role, login in logins.items()),
            "",
            "  Or open the event and press Start judging: that gives you a seat of your own.",
            "  Its 60 contributors and their judgments are simulated. Ctrl-C stops everything.",
            "",
        ]
        self.stdout.write("\n".join(lines))

    def line(self, role: str, login: Login) -> str:
        return f"  {role.capitalize():<11}  {login.username}  {login.code}"
