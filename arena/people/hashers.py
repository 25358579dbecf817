"""Hashing of access codes that the machine drew."""

import hashlib
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher, mask_hash
from django.utils.crypto import constant_time_compare

from arena.people.codes import normalize_code


class AccessCodeHasher(BasePasswordHasher):
    """One salted SHA-256 for access codes of at least 80 random bits.

    A slow hash protects what people choose; nothing guesses 80 random bits. It lets 100,000
    seats be provisioned in a minute and hundreds of people sign in at once. How the code was
    typed (letter case, dashes) does not matter.
    """

    algorithm = "code_sha256"

    def encode(self, password: str, salt: str) -> str:
        digest = hashlib.sha256(f"{salt}${normalize_code(password)}".encode()).hexdigest()
        return f"{self.algorithm}${salt}${digest}"

    def decode(self, encoded: str) -> dict[str, Any]:
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        return constant_time_compare(encoded, self.encode(password, self.decode(encoded)["salt"]))

    def safe_summary(self, encoded: str) -> Any:
        decoded = self.decode(encoded)
        return {"algorithm": self.algorithm, "hash": mask_hash(decoded["hash"])}

    def must_update(self, encoded: str) -> bool:
        return False

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing to harden: the code itself is out of reach of guessing."""


def hash_code(code: str) -> str:
    """An access code as it is stored in place of a password."""
    hasher = AccessCodeHasher()
    return hasher.encode(code, hasher.salt())
