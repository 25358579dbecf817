"""Files that live in the database, where every host and every dump has them."""

from typing import ClassVar

from django.db import models


class StoredFile(models.Model):
    """One file; its bytes are in its pieces."""

    name = models.CharField(max_length=200, unique=True)
    # Bytes.
    size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class StoredPiece(models.Model):
    """Some of a file's bytes: `database.PIECE_BYTES` of them, the last piece what is left."""

    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["file", "number"], name="stored_piece_once")
        ]

    def __str__(self) -> str:
        return f"{self.file}, piece {self.number}"
