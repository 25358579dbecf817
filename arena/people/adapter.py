"""Where allauth meets seats."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from arena.errors import NotFoundError
from arena.people.claiming import note_sign_in
from arena.people.limits import network_of
from arena.people.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's behaviour, but for seats and addresses."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """A keyed hash of the visitor's network: allauth counts by it, and no address is stored."""
        return network_of(request, timezone.now())

    def post_login(self, request: HttpRequest, user: User, **hook: Any) -> HttpResponse:
        """Whoever signs in to a seat has taken it and knows its code."""
        note_sign_in(user, timezone.now())
        response: HttpResponse = super().post_login(request, user, **hook)
        return response


class NotOfferedError(NotFoundError, SocialApp.DoesNotExist):  # type: ignore[misc]
    """This site offers no sign-in by that provider: a 404 to visitors, and to allauth no client."""


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's behaviour, but for providers that this site does not offer."""

    def get_app(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> SocialApp:
        """The provider's client here. Raises `NotOfferedError` where none is configured."""
        try:
            return super().get_app(request, provider, client_id)
        except SocialApp.DoesNotExist as error:
            raise NotOfferedError from error
