"""allauth's forms with our labels: one name for each field on every page."""

from typing import Any

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.mfa.base import forms as second_step
from allauth.mfa.totp import forms as totp
from allauth.socialaccount import forms as social
from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from arena.errors import LimitError
from arena.mail import offers_mail
from arena.people.forms import ForgottenPasswordForm, SignInCodeForm
from arena.people.guesses import SECOND_STEP_RATE, count_guess, undo_guess
from arena.people.models import User

LABELS = {
    "username": _("Username"),
    "email": _("E-mail address"),
    "password": _("Access code or password"),
    "oldpassword": _("Current password"),
    "password1": _("New password"),
    "password2": _("Repeat the new password"),
    "code": _("Code"),
}
# For new accounts, an address is there for coming back.
OPTIONAL_EMAIL = _("E-mail address (optional)")


class LabelledForm(forms.Form):
    """A form with our labels instead of allauth's placeholders."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)
            if name in ("password", "oldpassword"):
                field.help_text = link_to_reset() if offers_mail() else ""
        if "email" in self.fields and not self.fields["email"].required:
            self.fields["email"].label = OPTIONAL_EMAIL


def link_to_reset() -> str:
    """Where somebody gets a new password who has forgotten theirs."""
    address = reverse("account_reset_password")
    return format_html('<a href="{}">{}</a>', address, _("Forgot your password?"))


class SignupForm(LabelledForm, account.SignupForm):  # type: ignore[misc]
    """A new account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("Password")
        if not offers_mail():  # an address could not be confirmed
            del self.fields["email"]


class AddEmailForm(LabelledForm, account.AddEmailForm):  # type: ignore[misc]
    """A further address."""


class ChangePasswordForm(LabelledForm, account.ChangePasswordForm):  # type: ignore[misc]
    """Another password."""


class SetPasswordForm(LabelledForm, account.SetPasswordForm):  # type: ignore[misc]
    """A first password."""


class ResetPasswordForm(LabelledForm, ForgottenPasswordForm):
    """Where to send the link for a new password."""


class ResetPasswordKeyForm(LabelledForm, account.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password instead of a forgotten one."""


class ReauthenticateForm(LabelledForm, account.ReauthenticateForm):  # type: ignore[misc]
    """The code or password once more."""


class RequestLoginCodeForm(LabelledForm, SignInCodeForm):
    """Where to send a code that signs in."""


class ConfirmLoginCodeForm(LabelledForm, account.ConfirmLoginCodeForm):  # type: ignore[misc]
    """A code that was sent."""


class SecondStepForm(LabelledForm):
    """A form with a code of the second step, which is short: guesses are counted."""

    user: User

    def clean_code(self) -> str:
        """The code, if it is right. Raises `ValidationError`, also after too many that were not."""
        guess = ("second-step", str(self.user.pk), SECOND_STEP_RATE, timezone.now())
        try:
            count_guess(*guess)
        except LimitError as error:
            raise get_adapter().validation_error("too_many_login_attempts") from error
        code = str(super().clean_code())  # type: ignore[misc]  # of allauth's form beside it
        undo_guess(*guess)
        return code


class AuthenticateForm(SecondStepForm, second_step.AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class ReauthenticateStepForm(SecondStepForm, second_step.ReauthenticateForm):  # type: ignore[misc]
    """The second step once more."""


class ActivateTotpForm(LabelledForm, totp.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app."""


class SocialSignupForm(LabelledForm, social.SignupForm):  # type: ignore[misc]
    """A new account of somebody whom another site knows."""
