"""Where allauth meets seats."""

from datetime import datetime
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.errors import ArenaError, LimitError, NotFoundError
from arena.mail import is_watched, sends_mail
from arena.people.accounts import errors
from arena.people.limits import (
    GUESS_RATE,
    anonymize,
    anonymize_network,
    count_message,
    count_use,
    undo_use,
)
from arena.people.models import User
from arena.people.seats.claiming import record_sign_in

# Messages whose content the next page asks for, and what is sent where nobody has the address.
AWAITED_TEMPLATES = (
    "account/email/login_code",
    "account/email/password_reset_key",
    "account/email/unknown_account",
)
MAIL_SENT_MESSAGES = {
    "account/messages/email_confirmation_sent.txt",
    "account/messages/login_code_sent.txt",
}
NO_MAIL_MESSAGE = _(
    "No e-mail was sent: this site has no mail server set up. Sign in with your username and "
    "access code or password, or contact the site’s administrator."
)
TERMINAL_MAIL_MESSAGE = _(
    "No e-mail was sent. The message is printed in the terminal where this site is running."
)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's behaviour, but for seats, addresses and words."""

    error_messages: ClassVar = DefaultAccountAdapter.error_messages | errors.ACCOUNT_MESSAGES

    def get_client_ip(self, request: HttpRequest) -> str:
        """A keyed hash of the visitor's network: allauth counts by it, and no address is stored."""
        return anonymize_network(request, timezone.now())

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Whose failures are counted together: those at one name from one network.

        Names are known: wrong guesses from elsewhere do not lock their owner out.
        """
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{anonymize_network(request, timezone.now())}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse after too many failures: from here, or from everywhere together."""
        super().pre_authenticate(request, **credentials)
        now = timezone.now()
        try:
            count_use("guess", anonymize_login(credentials, now), GUESS_RATE, now)
        except LimitError as error:
            raise self.validation_error("too_many_login_attempts") from error

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The user of these credentials; whoever has them has not guessed."""
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            now = timezone.now()
            undo_use("guess", anonymize_login(credentials, now), GUESS_RATE, now)
        return user

    def send_confirmation_mail(
        self, request: HttpRequest, emailconfirmation: Any, signup: bool
    ) -> None:
        """Send the link that confirms an address. Raises `LimitError` where many were sent."""
        count_message("confirm", emailconfirmation.email_address.email, request, timezone.now())
        super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a message, or say that nothing was sent where the site sends no mail.

        A code or link that the next page waits for is refused then, whether or not anybody has
        the address.
        """
        super().send_mail(template_prefix, email, context)
        if sends_mail():
            return
        if not is_watched() and template_prefix.startswith(AWAITED_TEMPLATES):
            raise ArenaError(str(NO_MAIL_MESSAGE), "no_mail")
        messages.warning(self.request, TERMINAL_MAIL_MESSAGE if is_watched() else NO_MAIL_MESSAGE)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """allauth's words, but for those that say that mail was sent where none was."""
        if sends_mail() or message_template not in MAIL_SENT_MESSAGES:
            super().add_message(request, level, message_template, *args, **kwargs)

    def post_login(self, request: HttpRequest, user: User, **hook: Any) -> HttpResponse:
        """Whoever signs in to a seat has taken it and knows its code."""
        record_sign_in(user, timezone.now())
        response: HttpResponse = super().post_login(request, user, **hook)
        return response


def anonymize_login(credentials: dict[str, Any], now: datetime) -> str:
    """The name or address that somebody signs in with, as it is counted."""
    login = credentials.get("email") or credentials.get("username") or ""
    return anonymize(login.lower(), now)


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's behaviour, but for words."""

    error_messages: ClassVar = DefaultMFAAdapter.error_messages | errors.SECOND_STEP_MESSAGES


class NotOfferedError(NotFoundError, SocialApp.DoesNotExist):  # type: ignore[misc]
    """This site offers no sign-in by that provider: a 404 to visitors, and to allauth no client."""


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's behaviour, but for words, and for providers that this site does not offer."""

    error_messages: ClassVar = DefaultSocialAccountAdapter.error_messages | errors.SOCIAL_MESSAGES

    def get_app(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> SocialApp:
        """The provider's client here. Raises `NotOfferedError` where none is configured."""
        try:
            return super().get_app(request, provider, client_id)
        except SocialApp.DoesNotExist as error:
            raise NotOfferedError from error
