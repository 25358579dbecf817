"""What every test of the desk begins with."""

from django.test import Client
from django.urls import reverse

from arena.events.models import Event
from arena.people.models import User


def signed_in(user: User) -> Client:
    """A browser in which this user is signed in."""
    client = Client()
    client.force_login(user)
    return client


def url(name: str, event: Event, *args: object) -> str:
    """The address of a page of the event's desk."""
    return reverse(f"desk:{name}", args=[event.slug, *args])
