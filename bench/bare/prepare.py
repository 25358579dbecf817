"""The tables, people and pairs of the bare site.

    python -m bench.bare.prepare PAIRS PEOPLE FILE

FILE gets the keys of the people's sessions as JSON. DATABASE_URL names the database.
"""

import json
import os
import sys
from pathlib import Path

import django
from django.core.management import call_command

TEXT = "The answer is a paragraph of some length, as people write them. " * 4
BATCH = 5_000


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.bare.settings"
    django.setup()
    call_command("migrate", "auth", verbosity=0)  # what the pairs refer to
    call_command("migrate", "--run-syncdb", verbosity=0)
    prepare(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))


def prepare(pairs: int, people: int, file: Path) -> None:
    """Fill the empty tables."""
    from django.contrib.auth.models import User  # noqa: PLC0415 - models need the settings

    from bench.bare.models import Pair  # noqa: PLC0415
    from bench.sessions import make_sessions  # noqa: PLC0415

    for first in range(0, pairs, BATCH):
        Pair.objects.bulk_create(
            Pair(prompt=f"Question {number}?", left=f"{TEXT}{number}", right=TEXT)
            for number in range(first, min(first + BATCH, pairs))
        )
    users = [User(username=f"person-{number}", password="!") for number in range(people)]
    file.write_text(json.dumps(make_sessions(User.objects.bulk_create(users))))


if __name__ == "__main__":
    main()
