"""The bundle of a snapshot: everything its boards follow from, the boards, and checksums.

A ZIP that is written while it is read, in little memory, and byte for byte the same for the same
state. `manage.py reproduce` recomputes the boards from it. Before an event is published its
controls are in use, and later where a running event is a copy of it: then they, their companions
and the anchors stay out; the unweighted boards need none of them.
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
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import scipy
from django.conf import settings
from django.core.files import File
from django.core.files.storage import storages
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.lifecycle.registration.changes import build_document
from arena.events.lifecycle.shared_keys import are_keys_public
from arena.events.models import Event, Registration
from arena.exports.bundle_tables import RESULTS, SOURCES, BundleSelection, BundleTable
from arena.exports.consistent_reads import read_consistently
from arena.files.choosing import BUNDLES
from arena.judging.ledger.heads import get_chain_head
from arena.judging.models import Judgment
from leaderboard.models import Snapshot
from leaderboard.ratings import processor
from leaderboard.snapshots.refresh import METHOD, has_content

FORMAT = 2
"""Raised whenever an older bundle could no longer be read."""
PIECE_BYTES = 256 * 1024
"""Bytes handed over at a time."""
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file inside: the earliest that a ZIP knows."""
CHECKSUMS = "SHA256SUMS"
REGISTRATION = "registration.json"


class PieceBuffer(io.RawIOBase):
    """A file that keeps what is written until it is fetched; nobody can seek in it."""

    def __init__(self) -> None:
        self.pieces = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.pieces += data
        return len(data)

    def fetch(self, min_bytes: int = 0) -> Iterator[bytes]:
        """The bytes so far, where there are more than `min_bytes`; they are handed over once."""
        if len(self.pieces) > min_bytes:
            yield bytes(self.pieces)
            self.pieces.clear()


def stream_bundle(snapshot: Snapshot, *, with_controls: bool | None = None) -> Iterator[bytes]:
    """The bundle, piece by piece, by default with the controls where they may be public.

    Raises `ConflictError` where the event has moved on since.
    """
    if with_controls is None:
        with_controls = are_keys_public(snapshot.event)
    selection, buffer, sums = BundleSelection(snapshot, with_controls), PieceBuffer(), {}
    with read_consistently():
        check_current(snapshot)
        with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
            for name, lines in list_files(selection):
                digest = hashlib.sha256()
                with archive.open(make_member(name), "w", force_zip64=True) as file:
                    for line in lines:
                        data = line.encode()
                        digest.update(data)
                        file.write(data)
                        yield from buffer.fetch(PIECE_BYTES)
                sums[name] = digest.hexdigest()
            listing = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
            archive.writestr(make_member(CHECKSUMS), listing)
        yield from buffer.fetch()


def check_current(snapshot: Snapshot) -> None:
    """The database must still be what the snapshot was computed from."""
    changing = Judgment.objects.filter(event=snapshot.event, ledger_seq=None, revision__gt=0)
    if not has_content(snapshot.event, snapshot) or changing.exists():
        raise ConflictError(_("The event has changed since this board was computed."), "moved_on")


def list_files(selection: BundleSelection) -> Iterator[tuple[str, Iterator[str]]]:
    """Each file's name and lines."""
    yield "README.md", iter([render_readme(selection)])
    yield "manifest.json", iter([encode_document(build_manifest(selection))])
    registration = Registration.objects.filter(event=selection.event).first()
    if registration is not None:
        document = build_document(registration, with_keys=selection.with_controls)
        yield REGISTRATION, iter([encode_document(document)])
    for table in (*SOURCES, *RESULTS):
        yield table.file, encode_rows(table, selection)


def encode_document(said: dict[str, Any]) -> str:
    """A file of one JSON object, for people too."""
    return json.dumps(said, indent=2, sort_keys=True) + "\n"


def encode_rows(table: BundleTable, selection: BundleSelection) -> Iterator[str]:
    """A table as JSON Lines, floats in full precision."""
    for row in table.read_rows(selection):
        yield (
            json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=encode_exactly)
            + "\n"
        )


def encode_exactly(value: object) -> str:
    """Dates and UUIDs as text, which JSON has no types for."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} in a bundle")


def make_member(name: str) -> ZipInfo:
    """A file inside, the same whenever it is written."""
    info = ZipInfo(name, ZIP_EPOCH)
    info.compress_type = ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    return info


def build_manifest(selection: BundleSelection) -> dict[str, Any]:
    """What made the bundle. Nothing in a board is left to chance: there is no seed to know."""
    return {
        "format": FORMAT,
        "event": selection.event.slug,
        "round": selection.snapshot.name,
        "ledger_seq": selection.snapshot.ledger_seq,
        "ledger_head": get_chain_head(selection.event.pk),
        "fingerprint": selection.snapshot.fingerprint,
        "with_controls": selection.with_controls,
        "method": selection.snapshot.method,
        "seeds": {},
        "made_by": describe_environment(),
    }


@cache
def describe_environment() -> dict[str, Any]:
    """The code, the libraries and the machine: other ones may give other last digits."""
    return {
        "method": METHOD,
        "leaderboard_sha256": hash_package("leaderboard"),
        "arena_sha256": hash_package("arena"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "machine": platform.machine(),
        "processor": processor(),
    }


def hash_package(package: str) -> str:
    """SHA-256 over the names and contents of a package's modules."""
    digest = hashlib.sha256()
    folder = Path(settings.ROOT) / package
    for path in sorted(folder.rglob("*.py")):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return digest.hexdigest()


def render_readme(selection: BundleSelection) -> str:
    """The README inside: what the bundle is and how to check it."""
    title = selection.snapshot.name or f"ledger position {selection.snapshot.ledger_seq}"
    files = "\n".join(f"- `{table.file}`: {table.about}" for table in (*SOURCES, *RESULTS))
    return README.format(
        event=selection.event.title,
        title=title,
        licence=selection.event.licence,
        files=files,
        left_out="" if selection.with_controls else WITHOUT_CONTROLS,
    )


README = """\
# {event}: {title}

The boards of a Crowd Arena event and everything they follow from. Licence: {licence}.

- `sha256sum --check SHA256SUMS` says whether every file is as it was written.
- `manage.py reproduce BUNDLE.zip`, in any installation of Crowd Arena, computes the boards anew in
  an empty database and compares every number to the last digit.

`manifest.json` names the code and the libraries that made it. `registration.json`, where the event
has one, is what it registered before anybody had judged (`content`; its SHA-256 is `digest`) and
what was changed since. Every other file has one JSON object a line, in the order of `id`; a name
that ends in `_id` points at the `id` of another file.

{files}

Usernames, addresses and comments are not in it; contributors appear under their pseudonyms.
{left_out}"""
WITHOUT_CONTROLS = """
The controls were still in use when this was made, in this event or a running copy of it: controls,
their companions and anchors are left out, with the judgments of them and the weighted boards, which
need the controls.
"""


def name_bundle(snapshot: Snapshot, *, with_controls: bool) -> str:
    """Under which name a sealed snapshot's bundle is kept for ever."""
    kind = "whole" if with_controls else "without-controls"
    return f"{snapshot.event.slug}-{snapshot.pk}-{kind}.zip"


def ensure_bundle(snapshot: Snapshot) -> str:
    """The name of a sealed snapshot's bundle for the public, which is made now if it is not there
    yet: without controls while they are in use.

    Call it when a round is sealed, and again when the event has been published: later on, when
    the event has moved on, it can no longer be made. Raises `ConflictError` then.
    """
    published = snapshot.event.state == Event.State.PUBLISHED
    name = store_once(snapshot, with_controls=published)
    if not published or are_keys_public(snapshot.event):
        return name
    return store_once(snapshot, with_controls=False)


def store_once(snapshot: Snapshot, *, with_controls: bool) -> str:
    """The name of a bundle that is kept: this one, or where it can no longer be made the one
    without controls. Raises `ConflictError` where there is neither."""
    bundles, wanted = storages[BUNDLES], name_bundle(snapshot, with_controls=with_controls)
    if not bundles.exists(wanted):
        try:
            store_bundle(snapshot, wanted, with_controls=with_controls)
        except ConflictError:
            earlier = name_bundle(snapshot, with_controls=False)
            if not bundles.exists(earlier):
                raise
            return earlier
    return wanted


def open_bundle(snapshot: Snapshot) -> "File[bytes]":
    """A sealed snapshot's bundle, to be read. Raises `ConflictError` as `ensure_bundle` does."""
    return storages[BUNDLES].open(ensure_bundle(snapshot), "rb")


def store_bundle(snapshot: Snapshot, name: str, *, with_controls: bool) -> None:
    """Write the bundle on this machine, then keep it where every host finds it."""
    with TemporaryDirectory(prefix="bundle-") as folder:
        path = Path(folder) / name
        write_bundle(snapshot, path, with_controls=with_controls)
        with path.open("rb") as file:
            storages[BUNDLES].save(name, File(file, name=name))


def write_bundle(snapshot: Snapshot, path: Path, *, with_controls: bool | None = None) -> None:
    """Write the bundle to a file, which appears when it is complete; see `stream_bundle`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        with draft.open("xb") as file:
            for piece in stream_bundle(snapshot, with_controls=with_controls):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
