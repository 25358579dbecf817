"""manage.py doctor: what is wrong with this site, and what to do about it."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from arena.monitoring.doctor import Examination


class Command(BaseCommand):
    """Look at everything the site stands on; exit code 1 if something is wrong."""

    help = (
        "Look at settings, database, broker, workers, beat, ledgers, boards, disk, mail, clock and "
        "imports, for a few seconds. Says what is wrong and what to do; exit code 1 if anything is."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        findings = Examination(timezone.now()).run()
        for finding in findings:
            self.stdout.write(
                f"{'WRONG' if finding.is_wrong else 'ok   '} {finding.name:9} {finding.text}"
            )
            if finding.remedy:
                self.stdout.write(f"{'':15} → {finding.remedy}")
        self.stdout.flush()
        if any(finding.is_wrong for finding in findings):
            sys.exit(1)
