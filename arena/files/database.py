"""Files in the database, for few of them that must not be lost: the bundles of sealed rounds.

A bundle cannot be made again once its event has moved on, so it belongs where the judgments are: in
every dump, within reach of every host, without a further service. That costs its size in the
database and in each dump (about 60 bytes for a judgment, packed), read in pieces of 1 MB.
"""

import io
from typing import Any

from django.core.files import File
from django.core.files.storage import Storage
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from arena.errors import TooLargeError
from arena.files.models import StoredFile, StoredPiece

PIECE_BYTES = 1024**2
MAX_BYTES = 1024**3
"""A larger file would make dumps slow and restores slower: object storage is for those."""


class DatabaseStorage(Storage):
    """Django's interface to files in the database. A name that is taken keeps its first file."""

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        stored = StoredFile.objects.filter(name=name).first()
        if stored is None:
            raise FileNotFoundError(name)
        return File(io.BufferedReader(PieceReader(stored)), name=name)

    def _save(self, name: str, content: "File[bytes]") -> str:
        if content.size > MAX_BYTES:
            message = gettext("This file is larger than 1 GB: the site needs FILES_URL for it.")
            raise TooLargeError(message, "file_too_large")
        try:
            # All pieces or none. The unique name closes the race of two hosts with one file.
            with transaction.atomic():
                write_pieces(name, content)
        except IntegrityError:
            if not self.exists(name):
                raise
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def delete(self, name: str) -> None:
        StoredFile.objects.filter(name=name).delete()

    def exists(self, name: str) -> bool:
        return StoredFile.objects.filter(name=name).exists()

    def size(self, name: str) -> int:
        return StoredFile.objects.values_list("size", flat=True).get(name=name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Every file; there are no folders."""
        return [], list(StoredFile.objects.order_by("name").values_list("name", flat=True))


def write_pieces(name: str, content: "File[bytes]") -> None:
    """Store a file's bytes, one piece in memory at a time."""
    stored = StoredFile.objects.create(name=name, size=content.size, created_at=timezone.now())
    content.seek(0)
    for number, data in enumerate(iter(lambda: content.read(PIECE_BYTES), b"")):
        StoredPiece.objects.create(file=stored, number=number, data=data)


class PieceReader(io.RawIOBase):
    """A file's bytes from any position on; one piece is in memory at a time."""

    def __init__(self, stored: StoredFile) -> None:
        self.stored = stored
        self.position = 0
        self.number = -1
        self.data = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.stored.size}[whence]
        self.position = max(0, start + offset)
        return self.position

    def readinto(self, buffer: Any) -> int:
        if self.position >= self.stored.size:
            return 0
        number, start = divmod(self.position, PIECE_BYTES)
        if number != self.number:
            piece = self.stored.pieces.get(number=number)
            self.number, self.data = number, bytes(piece.data)
        taken = self.data[start : start + len(buffer)]
        buffer[: len(taken)] = taken
        self.position += len(taken)
        return len(taken)
