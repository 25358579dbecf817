"""Files of a model's field, wherever they are kept."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, cast

from django.db.models.fields.files import FieldFile


@contextmanager
def open_stream(file: FieldFile) -> Iterator[BinaryIO]:
    """The file's bytes as they come; nobody can go back in them."""
    with file.storage.open(str(file.name), "rb") as stream:
        yield cast("BinaryIO", stream)


@contextmanager
def local_path(file: FieldFile) -> Iterator[Path]:
    """The file on this machine's disk: itself, or a copy for as long as it is needed.

    What reads for half an hour, with pauses, is not left to a connection.
    """
    if path := find_path(file):
        yield path
        return
    with NamedTemporaryFile(prefix="upload-") as copy:
        with open_stream(file) as stream:
            shutil.copyfileobj(stream, cast("Any", copy), 1024**2)
        copy.flush()
        yield Path(copy.name)


def find_path(file: FieldFile) -> Path | None:
    """Where the file is on this machine; None where it is kept elsewhere."""
    try:
        return Path(file.path)
    except NotImplementedError:
        return None
