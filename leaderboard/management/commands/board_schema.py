"""manage.py board_schema: the JSON Schema of a board, as docs/board.schema.json holds it."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from leaderboard.pages.board_json import board_schema


class Command(BaseCommand):
    help = "Print the JSON Schema of /events/EVENT/leaderboard.json."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(board_schema(), indent=2, ensure_ascii=False))
