"""Recomputing the boards of a bundle from its judgments, and comparing every number.

`reproduce` works in the current database, which must hold no event, and takes everything back;
`reproduce_elsewhere` gives it a process, an empty SQLite file and a folder of their own.
"""

import hashlib
import json
import math
import os
import secrets
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, ZipFile

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from arena.errors import ArenaError
from arena.events.ledger import DECISION_KIND
from arena.events.models import Event
from arena.exports.bundle import CHECKSUMS, FORMAT, describe_environment, encode_rows
from arena.exports.bundle_tables import (
    BATCH_SIZE,
    RATINGS,
    SNAPSHOT,
    SOURCES,
    BundleSelection,
    BundleTable,
)
from arena.exports.bundled_registration import (
    Document,
    check_registration,
    read_registration,
    restore_registration,
)
from arena.judging.ledger import verify_ledger
from leaderboard.models import Rating
from leaderboard.snapshots.refresh import METHOD, refresh_fully
from leaderboard.votes.loading import store_of

BundleRow = dict[str, Any]
Values = dict[str, Any]
# Decisions stay with the event: they name people, and say why.
NOT_IN_BUNDLES = frozenset({DECISION_KIND.name})
# Of a row, what does not follow from judgments: its keys and when it was stored.
NOT_COMPARED = {"id", "event_id", "created_at", "name", "sealed_at"}
BOARD_KEY = ("question_id", "category_id", "weighting", "competitor_id")
PIECE_BYTES = 1 << 20
LATER_DETAILS = ("bias",)
"""What boards keep beside their rows that the first bundles do not have."""
WEIGHTED = Rating.Weighting.WEIGHTED.value
ROUNDING_TOLERANCE = 1e-9
"""Other processors and libraries round differently: by about 1e-15 in one operation, and never by
so much in a whole board (relative, and absolute near 0)."""


class BundleError(ArenaError):
    """The file is no bundle, or not as it was written, or cannot be tried here."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "bundle")


@dataclass(frozen=True)
class Reproduction:
    """How many values were compared, which of them differ, and what was made by other means.

    `rounded` differ by no more than `ROUNDING_TOLERANCE`. They are in order where the bundle was
    made by other means, and among the `differences` where it was not. `lacking` are columns of a
    board, and what is kept beside it, that the bundle does not have, so that they were not
    compared; nor were weighted boards that an earlier method made (`has_earlier_method`).
    `registration` is the SHA-256 of what the event registered, where the bundle has it.
    """

    manifest: dict[str, Any]
    compared: int
    differences: list[str] = field(default_factory=list)
    rounded: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    registration: str = ""

    @property
    def has_earlier_method(self) -> bool:
        """Whether this code weighs votes in another way than the bundle's."""
        return method_of(self.manifest) != METHOD

    @property
    def changed_means(self) -> list[str]:
        """Code and libraries that are not the ones the bundle was made with."""
        here, there = describe_environment(), self.manifest["made_by"]
        names = sorted(here.keys() | there.keys())
        changed = [name for name in names if here.get(name) != there.get(name)]
        return [f"{name}: {there.get(name)}, here {here.get(name)}" for name in changed]


def method_of(manifest: dict[str, Any]) -> int:
    """By which method a bundle's boards were made; early ones name that of the code alone."""
    return int(manifest.get("method", manifest["made_by"]["method"]))


def reproduce_elsewhere(bundle: Path) -> "subprocess.CompletedProcess[str]":
    """Run `manage.py reproduce --here` on a new SQLite file; nothing of it is left."""
    with TemporaryDirectory(prefix="arena-reproduce-") as folder:
        environment = os.environ | {
            "ARENA_VAR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/scratch.sqlite3",
            "REDIS_URL": "",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "LOG_LEVEL": "ERROR",
        }
        manage = [sys.executable, str(Path(settings.ROOT) / "manage.py")]
        # The checks are of a site's settings and pages, which this one has no use for.
        migrate = ["migrate", "--verbosity", "0", "--skip-checks"]
        steps = [migrate, ["reproduce", "--here", str(bundle.resolve())]]
        for step in steps:
            # The first step that fails is the answer.
            done = subprocess.run(  # noqa: S603 - our own manage.py and a path, without a shell
                [*manage, *step], env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                break
        return done


def reproduce(path: Path, now: datetime) -> Reproduction:
    """Restore, recompute, compare, and take it all back. Raises `BundleError`."""
    try:
        with ZipFile(path) as archive:
            check_sums(archive)
            manifest = json.loads(archive.read("manifest.json"))
            if manifest["format"] != FORMAT:
                raise BundleError(f"This is a bundle of format {manifest['format']}.")
            return recompute(archive, manifest, now)
    except (OSError, BadZipFile, KeyError, ValueError, TypeError) as error:
        raise BundleError(f"This is no bundle: {error}") from error


def check_sums(archive: ZipFile) -> None:
    """Every file must be listed and be as it was written."""
    listed = {}
    for line in archive.read(CHECKSUMS).decode().splitlines():
        digest, name = line.split("  ", 1)
        listed[name] = digest
    if {*archive.namelist()} != {*listed, CHECKSUMS}:
        raise BundleError("Its files are not the ones that its list of checksums names.")
    for name, expected in listed.items():
        with archive.open(name) as file:
            found = hashlib.sha256()
            while piece := file.read(PIECE_BYTES):
                found.update(piece)
        if found.hexdigest() != expected:
            raise BundleError(f"{name} is not as it was written: its checksum differs.")


def recompute(archive: ZipFile, manifest: dict[str, Any], now: datetime) -> Reproduction:
    """The result for a bundle whose files are as they were written. Raises `BundleError`."""
    if Event.objects.exists():
        raise BundleError("This database holds events; bundles are reproduced in an empty one.")
    # Nothing else is in this database; what is restored is taken back at the end.
    with transaction.atomic():
        event, registered = restore(archive), read_registration(archive)
        try:
            if registered is not None:
                restore_registration(registered, event)
            if manifest["with_controls"]:
                require_whole_ledger(event)
            snapshot = refresh_fully(event, now=now)
            if snapshot is None:
                raise BundleError("There is nothing to compute in it.")
            selection = BundleSelection(snapshot, manifest["with_controls"])
            tables = (SNAPSHOT, RATINGS)
            there = {table.name: list(read_table(archive, table)) for table in tables}
            here: dict[str, list[BundleRow]] = {
                table.name: [json.loads(line) for line in encode_rows(table, selection)]
                for table in tables
            }
            lacking = drop_later_columns(here["ratings"], there["ratings"])
            lacking += drop_later_details(here["snapshot"], there["snapshot"])
            expected, found = (collect_values(each, selection) for each in (there, here))
            if method_of(manifest) != METHOD:
                expected, found = (keep_unweighted(values) for values in (expected, found))
            result = compare(manifest, expected, found, lacking)
            return result if registered is None else compare_rules(result, registered, event)
        finally:
            store_of(event).clear()
            transaction.set_rollback(True)


def compare_rules(result: Reproduction, registered: Document, event: Event) -> Reproduction:
    """The result with what of the event's rules is not as registered."""
    with_controls = result.manifest["with_controls"]
    wrong = check_registration(registered, event, with_controls=with_controls)
    differences = [*result.differences, *wrong]
    return replace(result, differences=differences, registration=registered["digest"])


def require_whole_ledger(event: Event) -> None:
    """Raises `BundleError` where the ledger's chain, or a row that it is about, is not whole."""
    if broken := verify_ledger(event.pk, without=NOT_IN_BUNDLES):
        raise BundleError(f"The ledger's chain breaks: {broken}")


def restore(archive: ZipFile) -> Event:
    """Write every table into the database, keys and all. Raises `BundleError`."""
    try:
        for table in SOURCES:
            found = read_table(archive, table)
            while some := [table.model(**row) for row in islice(found, BATCH_SIZE)]:
                table.model._default_manager.bulk_create(some)
        connection.check_constraints()
        return Event.objects.get()
    except IntegrityError as error:
        raise BundleError(f"Its rows do not fit together: {error}") from error
    except (Event.DoesNotExist, Event.MultipleObjectsReturned) as error:
        raise BundleError("It is not about one event.") from error


def read_table(archive: ZipFile, table: BundleTable) -> Iterator[BundleRow]:
    """The rows of a table. Raises `BundleError` where one has other columns.

    A bundle from before a setting was added lacks it: then it has its default, which is how the
    event was run.
    """
    if table.is_later and table.file not in archive.namelist():
        return
    with archive.open(table.file) as file:
        for line in file:
            row = json.loads(line)
            if row.keys() | set(table.optional) != set(table.columns):
                raise BundleError(f"{table.file} has other columns than it should have.")
            yield row


def drop_later_columns(here: list[BundleRow], there: list[BundleRow]) -> list[str]:
    """Take columns that no row of the bundle has out of the boards computed here; their names."""
    known = {name for row in there for name in row}
    lacking = [name for name in RATINGS.columns if there and name not in known]
    for row in here:
        for name in lacking:
            del row[name]
    return lacking


def drop_later_details(here: list[BundleRow], there: list[BundleRow]) -> list[str]:
    """Take what no board's details in the bundle have out of those computed here; its names."""
    known = {name for row in there for board in boards_of(row).values() for name in board}
    boards = [board for row in here for board in boards_of(row).values()]
    lacking = []
    for name in LATER_DETAILS:
        having = [board for board in boards if name in board]
        if having and name not in known:
            lacking.append(name)
            for board in having:
                del board[name]
    return lacking


def boards_of(row: BundleRow) -> dict[str, Any]:
    """The boards among the details of a snapshot's row."""
    boards: dict[str, Any] = row["details"].get("boards", {})
    return boards


def collect_values(results: dict[str, list[BundleRow]], selection: BundleSelection) -> Values:
    """Every value of a snapshot and its boards that does not depend on when it was stored.

    Without controls, counts of all judgments and weighted boards are none of it.
    """
    (snapshot,) = results["snapshot"]
    boards = boards_of(snapshot)
    found: Values = {"ledger_seq": snapshot["ledger_seq"]}
    if selection.with_controls:
        counts = {name: value for name, value in snapshot.items() if name not in NOT_COMPARED}
        found |= flatten("", counts)
    else:
        raw = {key: board for key, board in boards.items() if key.endswith("/raw")}
        found |= flatten("details.boards", raw)
    names = dict(selection.event.competitors.values_list("pk", "name"))
    for rating in results["ratings"]:
        question, category, weighting, competitor = (rating[name] for name in BOARD_KEY)
        where = f"{weighting}/{question}/{category or 'all'}/{names[competitor]}"
        values = {name: rating[name] for name in rating if name not in {*NOT_COMPARED, *BOARD_KEY}}
        found |= flatten(where, values)
    return found


def keep_unweighted(values: Values) -> Values:
    """What every method computes alike: counts, and boards on which every vote is equal."""
    return {
        path: value
        for path, value in values.items()
        if path != "fingerprint" and f"/{WEIGHTED}." not in path and not path.startswith(WEIGHTED)
    }


def flatten(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A value's leaves by their paths."""
    if isinstance(value, dict):
        inside: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    else:
        yield path, value
        return
    for name, part in inside:
        yield from flatten(f"{path}.{name}" if path else str(name), part)


MISSING = "nothing"


def compare(
    manifest: dict[str, Any], there: Values, here: Values, lacking: list[str]
) -> Reproduction:
    """The result for the values of a bundle and those computed here."""
    result = Reproduction(manifest, len(there), lacking=lacking)
    for path in sorted(there.keys() | here.keys()):
        one, other = there.get(path, MISSING), here.get(path, MISSING)
        if one == other and type(one) is type(other):
            continue
        excused = bool(result.changed_means) and is_rounding(one, other)
        found = result.rounded if excused else result.differences
        found.append(f"{path}: {one!r}, here {other!r}")
    return result


def is_rounding(one: Any, other: Any) -> bool:
    """Whether two numbers differ by no more than the order of their sums can explain."""
    numeric = isinstance(one, float) and isinstance(other, float)
    return numeric and math.isclose(
        one, other, rel_tol=ROUNDING_TOLERANCE, abs_tol=ROUNDING_TOLERANCE
    )
