"""One table: a pair of texts, whose it is, and what was answered."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class Pair(models.Model):
    """Two texts to compare: free, leased to somebody, or answered."""

    prompt = models.TextField()
    left = models.TextField()
    right = models.TextField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)
    leased_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=4)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=models.Q(person=None), name="pair_free"),
            models.Index(
                fields=["person"],
                condition=models.Q(answer="", person__isnull=False),
                name="pair_leased",
            ),
        ]

    def __str__(self) -> str:
        return self.prompt
