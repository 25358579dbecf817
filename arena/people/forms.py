"""Forms about oneself."""

import unicodedata
from typing import Any, ClassVar

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import RequestLoginCodeForm, ResetPasswordForm
from allauth.core import context
from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.errors import ArenaError
from arena.people.display_names import clean_name
from arena.people.guesses import count_message
from arena.people.models import User


class LoginForm(AllauthLoginForm):  # type: ignore[misc]
    """Sign in by username or address, with an access code or a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Username or e-mail")
        self.fields["login"].widget.attrs |= {
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
            "placeholder": "",
        }
        self.fields["password"].label = _("Access code or password")
        self.fields["password"].widget.attrs["placeholder"] = ""


class SignInCodeForm(RequestLoginCodeForm):  # type: ignore[misc]
    """Ask for a code by e-mail."""

    def clean_email(self) -> str:
        """The address. Raises `LimitError` where many messages went to it."""
        count_message("code", self.cleaned_data["email"], context.request, timezone.now())
        return str(super().clean_email())


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]
    """Ask for a link to choose a new password."""

    def clean_email(self) -> str:
        """The address. Raises `LimitError` where many messages went to it."""
        count_message("reset", self.cleaned_data["email"], context.request, timezone.now())
        return str(super().clean_email())


class NameForm(forms.ModelForm):
    """The name shown on boards instead of the pseudonym; empty: the pseudonym."""

    class Meta:
        model = User
        fields = ("display_name",)
        labels = {"display_name": _("Display name")}
        help_texts = {"display_name": _("If empty, boards show your pseudonym.")}
        error_messages: ClassVar = {
            "display_name": {"max_length": _("Use %(limit_value)d characters at most.")}
        }

    def clean_display_name(self) -> str:
        """The name, if it may be shown; what it was before is not judged again."""
        typed = str(self.cleaned_data["display_name"])
        if "display_name" not in self.changed_data:
            return typed
        try:
            return clean_name(typed)
        except ArenaError as error:
            raise forms.ValidationError(error.message) from error


class AccountForm(forms.Form):
    """The name of a new account; its access code is drawn."""

    username = forms.CharField(
        label=_("Your name here"),
        max_length=60,
        help_text=_(
            "You sign in with it, and the event’s organizers and reviewers see it. Letters, "
            "digits and @ . + - _"
        ),
        widget=forms.TextInput(attrs={"autocomplete": "username", "spellcheck": "false"}),
    )

    def clean_username(self) -> str:
        """A name that nobody has, in whatever letter case; blanks become hyphens."""
        typed = unicodedata.normalize("NFKC", self.cleaned_data["username"])
        return str(get_adapter().clean_username("-".join(typed.split())))
