"""manage.py list_erasures: which accounts were erased, for the backup."""

from typing import Any

from django.core.management.base import BaseCommand

from arena.people.erasures import list_erasures


class Command(BaseCommand):
    """Print the digests of erased accounts, with their key, as a line of JSON."""

    help = "Print the digests of erased accounts, to be kept beside a dump (reapply_erasures)."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(list_erasures().as_json())
