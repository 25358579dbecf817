"""Tasks that only the tests' own worker knows."""

from celery import shared_task
from django.contrib.auth import get_user_model


@shared_task
def rename(user_id: int, username: str) -> None:
    """Give a user another name."""
    get_user_model().objects.filter(pk=user_id).update(username=username)
