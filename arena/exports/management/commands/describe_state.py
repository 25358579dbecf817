"""manage.py describe_state: heads of ledgers, digests of boards, and bundles, for the backup."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from arena.exports.site_state import describe_state


class Command(BaseCommand):
    """Print what the site holds as a line of JSON, which `restore_drill` compares."""

    help = "Print heads of ledgers, digests of boards and bundles, to be kept beside a dump."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(describe_state()))
