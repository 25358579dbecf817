"""What the columns of a file of votes mean."""

from collections.abc import Mapping
from typing import Any

from arena.events.importing.checking.checks import spelt
from arena.events.importing.reading.columns import Columns, rename
from arena.events.importing.reading.rows import Row
from arena.judging.importing.votes import COLUMNS


class VoteColumns(Columns):
    """Columns of CSV or keys of JSON, under a mapping; our own names in any case, with blanks or
    hyphens."""

    __slots__ = ()

    def meaning(self, key: str) -> str:
        """What a column means; empty: it is left out."""
        return self.mapping[key] if key in self.mapping else canonical(key)

    def meant(self, row: Row) -> Mapping[str, Any]:
        """The row's values under their meaning. Raises `InvalidRow`."""
        return rename(row.data, self.meaning)


def canonical(column: str) -> str:
    """Our own name for a column that is written otherwise; any other column as it is."""
    name = spelt(column)
    return name if name in COLUMNS else column
