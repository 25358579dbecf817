"""The bundle of a snapshot: everything its boards follow from, the boards, and checksums.

A ZIP that is written while it is read, in little memory, and byte for byte the same for the same
state. `manage.py reproduce` recomputes the boards from it. Before an event is published its
controls are in use, so they and the anchors stay out; the unweighted boards need none of them.
"""

import hashlib
import io
import json
import os
import platform
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import scipy
from django.conf import settings
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.models import Event
from arena.exports.consistent_reads import read_consistently
from arena.exports.tables import RESULTS, SOURCES, Scope, Table
from arena.judging.models import Judgment
from leaderboard.models import Snapshot
from leaderboard.ratings import processor
from leaderboard.snapshots.refresh import METHOD, fingerprint_of

FORMAT = 2
"""Raised whenever an older bundle could no longer be read."""
PIECE = 256 * 1024
"""Bytes handed over at a time."""
MIDNIGHT = (1980, 1, 1, 0, 0, 0)
"""The time of every file inside: what a ZIP calls the beginning."""
SUMS = "SHA256SUMS"


class Outlet(io.RawIOBase):
    """Takes what is written to it until somebody fetches it; nobody can seek in it."""

    def __init__(self) -> None:
        self.pieces = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.pieces += data
        return len(data)

    def fetch(self, least: int = 0) -> Iterator[bytes]:
        """What has come together, if it is worth handing over."""
        if len(self.pieces) > least:
            yield bytes(self.pieces)
            self.pieces.clear()


def bundle_pieces(snapshot: Snapshot) -> Iterator[bytes]:
    """The bundle's bytes. Raises `ConflictError` where the event has moved on since."""
    published = snapshot.event.state == Event.State.PUBLISHED
    scope, outlet, sums = Scope(snapshot, published), Outlet(), {}
    with read_consistently():
        check_current(snapshot)
        with ZipFile(outlet, "w", ZIP_DEFLATED) as archive:
            for name, lines in contents(scope):
                digest = hashlib.sha256()
                with archive.open(member(name), "w", force_zip64=True) as file:
                    for line in lines:
                        data = line.encode()
                        digest.update(data)
                        file.write(data)
                        yield from outlet.fetch(PIECE)
                sums[name] = digest.hexdigest()
            listing = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
            archive.writestr(member(SUMS), listing)
        yield from outlet.fetch()


def check_current(snapshot: Snapshot) -> None:
    """The database must still be what the snapshot was computed from."""
    changing = Judgment.objects.filter(event=snapshot.event, ledger_seq=None, revision__gt=0)
    if fingerprint_of(snapshot.event) != snapshot.fingerprint or changing.exists():
        raise ConflictError(_("The event has moved on since this board was computed."), "moved_on")


def contents(scope: Scope) -> Iterator[tuple[str, Iterator[str]]]:
    """Each file's name and lines."""
    yield "README.md", iter([readme(scope)])
    yield "manifest.json", iter([json.dumps(manifest(scope), indent=2, sort_keys=True) + "\n"])
    for table in (*SOURCES, *RESULTS):
        yield table.file, table_lines(table, scope)


def table_lines(table: Table, scope: Scope) -> Iterator[str]:
    """A table as JSON Lines, floats in full precision."""
    for row in table.rows(scope):
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=exact) + "\n"


def exact(value: object) -> str:
    """What JSON has no type for, without rounding anything away."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} in a bundle")


def member(name: str) -> ZipInfo:
    """A file inside: an ordinary one, of no time."""
    info = ZipInfo(name, MIDNIGHT)
    info.compress_type = ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    return info


def manifest(scope: Scope) -> dict[str, Any]:
    """What made the bundle. Nothing in a board is left to chance: there is no seed to know."""
    return {
        "format": FORMAT,
        "event": scope.event.slug,
        "round": scope.snapshot.name,
        "ledger_seq": scope.snapshot.ledger_seq,
        "fingerprint": scope.snapshot.fingerprint,
        "with_controls": scope.with_controls,
        "seeds": {},
        "made_by": made_by(),
    }


@cache
def made_by() -> dict[str, Any]:
    """The code and what it stands on; what differs here may differ in a number's last digit."""
    return {
        "method": METHOD,
        "leaderboard_sha256": code_digest("leaderboard"),
        "arena_sha256": code_digest("arena"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "machine": platform.machine(),
        "processor": processor(),
    }


def code_digest(package: str) -> str:
    """SHA-256 over the names and contents of a package's modules."""
    digest = hashlib.sha256()
    folder = Path(settings.ROOT) / package
    for path in sorted(folder.rglob("*.py")):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return digest.hexdigest()


def readme(scope: Scope) -> str:
    """What the bundle is, for whoever opens it."""
    title = scope.snapshot.name or f"ledger position {scope.snapshot.ledger_seq}"
    files = "\n".join(f"- `{table.file}`: {table.about}" for table in (*SOURCES, *RESULTS))
    return README.format(
        event=scope.event.title,
        title=title,
        licence=scope.event.licence,
        files=files,
        left_out="" if scope.with_controls else WITHOUT_CONTROLS,
    )


README = """\
# {event}: {title}

The boards of a Crowd Arena event and everything they follow from. Licence: {licence}.

- `sha256sum --check SHA256SUMS` says whether every file is as it was written.
- `manage.py reproduce BUNDLE.zip`, in any installation of Crowd Arena, computes the boards anew in
  an empty database and compares every number to the last digit.

`manifest.json` names the code and the libraries that made it. Every other file has one JSON object
a line, in the order of `id`; a name that ends in `_id` points at the `id` of another file.

{files}

Usernames, addresses and comments are not in it; contributors appear under their pseudonyms.
{left_out}"""
WITHOUT_CONTROLS = """
The event was not published yet when this was made: controls and anchors are left out, with the
judgments of them and the weighted boards, which need the controls.
"""


def bundle_path(snapshot: Snapshot, *, with_controls: bool) -> Path:
    """Where a sealed snapshot's bundle is kept for ever."""
    kind = "whole" if with_controls else "without-controls"
    return Path(settings.MEDIA_ROOT) / "bundles" / f"{snapshot.event.slug}-{snapshot.pk}-{kind}.zip"


def kept_bundle(snapshot: Snapshot) -> Path:
    """The bundle of a sealed snapshot, made now if it is not there yet.

    Call it when a round is sealed, and again when the event has been published: later on, when
    the event has moved on, it can no longer be made. Raises `ConflictError` then.
    """
    published = snapshot.event.state == Event.State.PUBLISHED
    wanted = bundle_path(snapshot, with_controls=published)
    if not wanted.exists():
        try:
            write_bundle(snapshot, wanted)
        except ConflictError:
            earlier = bundle_path(snapshot, with_controls=False)
            if not earlier.exists():
                raise
            return earlier
    return wanted


def write_bundle(snapshot: Snapshot, path: Path) -> None:
    """Write the bundle to a file, which appears when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        with draft.open("xb") as file:
            for piece in bundle_pieces(snapshot):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
