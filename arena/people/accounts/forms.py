"""allauth's forms with our labels: one name for each field on every page."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as second_step
from allauth.mfa.totp import forms as totp
from allauth.socialaccount import forms as social
from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from arena.people.forms import ForgottenPasswordForm, SignInCodeForm

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
                address = reverse("account_reset_password")
                field.help_text = format_html(
                    '<a href="{}">{}</a>', address, _("Forgot your password?")
                )
        if "email" in self.fields and not self.fields["email"].required:
            self.fields["email"].label = OPTIONAL_EMAIL


class SignupForm(LabelledForm, account.SignupForm):  # type: ignore[misc]
    """A new account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("Password")


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


class AuthenticateForm(LabelledForm, second_step.AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class ReauthenticateStepForm(LabelledForm, second_step.ReauthenticateForm):  # type: ignore[misc]
    """The second step once more."""


class ActivateTotpForm(LabelledForm, totp.ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app."""


class SocialSignupForm(LabelledForm, social.SignupForm):  # type: ignore[misc]
    """A new account of somebody whom another site knows."""
