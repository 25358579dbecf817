"""Which accounts have been erased, so that a restored older dump can be rid of them again.

A note is an empty file beside the uploads, outside of the database and its dumps. Its name is a
digest under a key of the site: it tells nobody who it was, and whether a given account is the one.
"""

import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from django.core.files.base import ContentFile
from django.core.files.storage import storages

from arena.files.choosing import UPLOADS
from arena.people.models import User

FOLDER = "erasures"
KEY = f"{FOLDER}/key"
DIGEST_LENGTH = 64


@dataclass(frozen=True)
class ErasureNotes:
    """The digests of erased accounts, and the key that they were made with; both hexadecimal."""

    key: str
    digests: frozenset[str]

    def has(self, pk: int, date_joined: datetime) -> bool:
        """Whether the account with this key, made at this time, has been erased."""
        return digest_account(self.key, pk, date_joined) in self.digests

    def as_json(self) -> str:
        """One line."""
        return json.dumps({"key": self.key, "digests": sorted(self.digests)})

    @classmethod
    def from_json(cls, text: str) -> "ErasureNotes":
        """Raises `ValueError` where the text is something else."""
        match json.loads(text):
            case {"key": str(key), "digests": list(digests)}:
                return cls(str(bytes.fromhex(key).hex()), frozenset(map(str, digests)))
        raise ValueError("not a list of erasures")


def digest_account(key: str, pk: int, date_joined: datetime) -> str:
    """The digest of an account.

    After a restore numbers are given again, to others: the microsecond tells them apart.
    """
    identity = f"{pk} {date_joined.astimezone(UTC).isoformat()}"
    return hmac.new(bytes.fromhex(key), identity.encode(), sha256).hexdigest()


def get_key() -> str:
    """This site's key, hexadecimal; made now if there is none."""
    files = storages[UPLOADS]
    if not files.exists(KEY):
        files.save(KEY, ContentFile(secrets.token_hex(32).encode()))
    # Closes the race of two processes with the first erasure: both read what is there now.
    with files.open(KEY, "rb") as file:
        return bytes.fromhex(file.read().decode()).hex()


def note_erasure(user: User) -> str:
    """Note that an account is being erased. Returns the note's name; "" where it was there."""
    return save_note(digest_account(get_key(), user.pk, user.date_joined))


def save_note(digest: str) -> str:
    """Keep a digest. Returns the note's name; "" where it was there."""
    name = f"{FOLDER}/{digest}"
    if storages[UPLOADS].exists(name):
        return ""
    return storages[UPLOADS].save(name, ContentFile(b""))


def take_back_note(name: str) -> None:
    """Delete the note of an erasure that did not come about."""
    if name:
        storages[UPLOADS].delete(name)


def list_erasures() -> ErasureNotes:
    """Every account that has been erased here."""
    _folders, names = (
        storages[UPLOADS].listdir(FOLDER) if storages[UPLOADS].exists(KEY) else ([], [])
    )
    return ErasureNotes(get_key(), frozenset(name for name in names if len(name) == DIGEST_LENGTH))


def adopt_notes(notes: ErasureNotes) -> None:
    """Keep what another list says, so that the next restore repeats it too.

    Digests under another key than this site's own are of no use here.
    """
    files = storages[UPLOADS]
    if not files.exists(KEY):
        files.save(KEY, ContentFile(notes.key.encode()))
    if get_key() == notes.key:
        for digest in notes.digests:
            save_note(digest)
