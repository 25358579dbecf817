"""What an organizer knows of the competitors beside their names, from a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arena.events.importing.checks import Checker, InvalidRow, unknown
from arena.events.importing.columns import Columns
from arena.events.importing.names import CompetitorRow
from arena.events.importing.reading import guess_format, opened, peek, read_rows
from arena.events.importing.report import ImportReport, LineError

# Longest values, in characters.
FIELDS = {"name": 120, "organization": 120, "licence": 60, "version": 60}


def read_competitors(path: Path, report: ImportReport) -> list[CompetitorRow]:
    """Rows of name, organization, licence and version; what is wrong goes into the report.

    Raises `Unreadable` where the file cannot be read to its end.
    """
    competitors: dict[str, CompetitorRow] = {}
    with opened(path) as source:
        format = guess_format(path.name, peek(source.stream, 200))
        columns = Columns({}, is_csv=format == "csv")
        for row in read_rows(source.stream, format):
            if isinstance(row, LineError):
                report.refuse(row)
                continue
            try:
                competitor = columns.read(row, FIELDS, competitor_of)
            except InvalidRow as error:
                for problem in columns.errors(row, error.problems):
                    report.refuse(problem)
                continue
            if competitor.name in competitors:
                report.refuse(LineError(row.line, "name", f"{competitor.name} is there twice"))
            competitors[competitor.name] = competitor
    return list(competitors.values())


def competitor_of(data: Mapping[str, Any]) -> CompetitorRow:
    """Check one row. Raises `InvalidRow`."""
    check = Checker()
    for key in data:
        if key not in FIELDS:
            check.refuse(key, unknown(key, FIELDS))
    values = {
        field: check.name(data[field], field, longest)
        for field, longest in FIELDS.items()
        if data.get(field) not in (None, "")
    }
    if "name" not in values:
        check.refuse("name", "is missing")
    check.finish()
    return CompetitorRow(**values)
