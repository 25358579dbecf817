"""manage.py announce: where the site is, and how to get its first account."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse
from django.utils import timezone

from arena.people.accounts.first_account import make_setup_link, needs_first_account


class Command(BaseCommand):
    """Print the site's address, and on a site without accounts a link that makes the first one."""

    help = (
        "Print where the site is. While nobody has an account, print a link that makes the first "
        "one: it works once, and replaces the link printed before."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--foreground", action="store_true", help="say that Ctrl-C stops the site, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        end = " - Ctrl-C stops it." if options["foreground"] else ""
        lines = [f"Crowd Arena is on {settings.SITE_URL}/{end}"]
        if needs_first_account():
            path = reverse("people:first", args=[make_setup_link(timezone.now())])
            lines = [
                "",
                "  Nobody has an account here yet. Open this link to make yours:",
                "",
                f"  {settings.SITE_URL}{path}",
                "",
                "  It works once. Everything else is done in the browser.",
                "",
                *lines,
            ]
        self.stdout.write("\n".join(lines))
