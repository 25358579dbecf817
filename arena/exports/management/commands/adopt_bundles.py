"""manage.py adopt_bundles: bring bundles to where this site keeps them now."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.core.management.base import BaseCommand

from arena.files.choosing import BUNDLES
from arena.files.database import DatabaseStorage


class Command(BaseCommand):
    """Move bundles from files of earlier releases, and from the database where FILES_URL is set."""

    help = "Move the bundles of rounds to where FILES_URL says, from files and from the database."

    def handle(self, *args: Any, **options: Any) -> None:
        bundles, moved = storages[BUNDLES], 0
        for source in list_earlier_storages(bundles):
            for name in list_bundles(source):
                move_bundle(name, source, bundles)
                moved += 1
        self.stdout.write(f"Bundles moved: {moved}")


def list_earlier_storages(now: Storage) -> list[Storage]:
    """Where bundles may be that were kept before the setting was what it is."""
    files = FileSystemStorage(location=Path(settings.MEDIA_ROOT) / "bundles")
    return [files] if isinstance(now, DatabaseStorage) else [files, DatabaseStorage()]


def list_bundles(storage: Storage) -> list[str]:
    """The names of the bundles there; drafts that a killed process has left are none."""
    try:
        return [name for name in storage.listdir("")[1] if name.endswith(".zip")]
    except FileNotFoundError:  # no folder
        return []


def move_bundle(name: str, source: Storage, target: Storage) -> None:
    """Copy a bundle unless it is there, and delete it where it was once the copy is whole."""
    if not target.exists(name):
        with source.open(name, "rb") as file:
            target.save(name, file)
    if target.size(name) == source.size(name):
        source.delete(name)
