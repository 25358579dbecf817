"""allauth's adapters: rate limits by anonymous network, seats, mail, error messages."""

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
from arena.people.guesses import (
    count_message,
    count_sign_in,
    forget_sign_ins,
    undo_sign_in,
)
from arena.people.limits import anonymize_network
from arena.people.models import User
from arena.people.seats.claiming import record_sign_in

# Templates of messages that the next page depends on, with or without an account.
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
    """allauth's adapter with seats, anonymous networks and our messages."""

    error_messages: ClassVar = DefaultAccountAdapter.error_messages | errors.ACCOUNT_MESSAGES

    def get_client_ip(self, request: HttpRequest) -> str:
        """A keyed hash of the visitor's network: allauth counts by it, and no address is stored."""
        return anonymize_network(request, timezone.now())

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse after too many failures, from this network or from all together."""
        super().pre_authenticate(request, **credentials)
        try:
            count_sign_in(get_login(credentials), request, timezone.now())
        except LimitError as error:
            raise self.validation_error("too_many_login_attempts") from error

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The user with these credentials; a successful sign-in is not counted as a guess."""
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            undo_sign_in(get_login(credentials), request, timezone.now())
        return user

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Forget wrong guesses once a link from a message has set a new password."""
        super()._delete_login_attempts_cached_email(request, **credentials)
        forget_sign_ins(get_login(credentials), request, timezone.now())

    def send_confirmation_mail(
        self, request: HttpRequest, emailconfirmation: Any, signup: bool
    ) -> None:
        """Send the link that confirms an address. Raises `LimitError` if too many were sent."""
        count_message("confirm", emailconfirmation.email_address.email, request, timezone.now())
        super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Hand a message to the outbox, or tell the user that this site sends no mail.

        If the next page asks for a code or link from the message, `ArenaError` is raised whether or
        not an account has the address.
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
        """Show allauth's message, except those claiming that mail was sent if none was."""
        if sends_mail() or message_template not in MAIL_SENT_MESSAGES:
            super().add_message(request, level, message_template, *args, **kwargs)

    def post_login(self, request: HttpRequest, user: User, **hook: Any) -> HttpResponse:
        """Record that the holder of a seat knows its code."""
        record_sign_in(user, timezone.now())
        response: HttpResponse = super().post_login(request, user, **hook)
        return response


def get_login(credentials: dict[str, Any]) -> str:
    """The username or address of a sign-in, for counting."""
    return str(credentials.get("email") or credentials.get("username") or "").lower()


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's behaviour, but for words."""

    error_messages: ClassVar = DefaultMFAAdapter.error_messages | errors.SECOND_STEP_MESSAGES


class NotOfferedError(NotFoundError, SocialApp.DoesNotExist):  # type: ignore[misc]
    """This site has no client for the provider: a 404 to visitors, no app to allauth."""


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's behaviour, but for words, and for providers that this site does not offer."""

    error_messages: ClassVar = DefaultSocialAccountAdapter.error_messages | errors.SOCIAL_MESSAGES

    def get_app(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> SocialApp:
        """The provider's app. Raises `NotOfferedError` if none is configured."""
        try:
            return super().get_app(request, provider, client_id)
        except SocialApp.DoesNotExist as error:
            raise NotOfferedError from error
