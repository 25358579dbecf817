"""Access codes and claim tokens: drawn by the machine, shown once, stored as hashes only."""

import hashlib
import secrets

# Crockford's base32: no I, L, O and U, so that nothing on paper is misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 16  # 16 × 5 bits = 80 bits
GROUP_LENGTH = 4
LOOKALIKES = str.maketrans("ILO", "110")


def draw_code() -> str:
    """A fresh access code of 80 random bits, grouped for reading: `7K3M-Q0RT-…`."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(
        code[start : start + GROUP_LENGTH] for start in range(0, CODE_LENGTH, GROUP_LENGTH)
    )


def normalize_code(typed: str) -> str:
    """The code that was meant: case, dashes, spaces and look-alike letters are ignored."""
    letters = "".join(letter for letter in typed if letter.isalnum())
    return letters.upper().translate(LOOKALIKES)


def draw_token() -> str:
    """A fresh token of 128 random bits for a link."""
    return secrets.token_urlsafe(16)


def hash_token(token: str) -> str:
    """SHA-256 of a token, hexadecimal: the only form in which it is stored."""
    return hashlib.sha256(token.encode()).hexdigest()
