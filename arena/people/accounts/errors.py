"""What allauth says where something cannot be done, in the words of this site."""

from django.utils.translation import gettext_lazy as _

ACCOUNT = {
    "account_inactive": _("This account is closed."),
    "cannot_remove_primary_email": _("Mail to you goes there. Choose another address first."),
    "duplicate_email": _("You have this address here already."),
    "email_password_mismatch": _("The address or the password is not right."),
    "username_password_mismatch": _("The name or the code is not right."),
    "email_taken": _("Somebody here has this address already."),
    "enter_current_password": _("Type the password you have now."),
    "incorrect_code": _("This code is not right."),
    "incorrect_password": _("This code or password is not right."),
    "invalid_or_expired_key": _("This link no longer works."),
    "invalid_login": _("The name or the code is not right."),
    "invalid_password_reset": _("This link no longer works."),
    "max_email_addresses": _("You can have %d addresses at most."),
    "rate_limited": _("Too many tries. Wait a while before the next."),
    "same_as_current": _("This is what it is already. Choose something else."),
    "too_many_login_attempts": _("Too many wrong tries. Wait a while before the next."),
    "unknown_email": _("No account has this address."),
    "unverified_primary_email": _("Confirm the address first; then mail to you can go there."),
    "username_taken": _("Somebody here has this name already. Choose another one."),
    "username_blacklisted": _("This username is not free. Choose another one."),
}
SECOND_STEP = {
    "add_email_blocked": _("While two-step sign-in is on, no address can be added."),
    "cannot_delete_authenticator": _("Two-step sign-in cannot be switched off here."),
    "cannot_generate_recovery_codes": _("Recovery codes come with two-step sign-in: set it up."),
    "incorrect_code": _("This code is not right."),
    "unverified_email": _("Confirm your e-mail addresses first, or remove those you do not use."),
}
SOCIAL = {
    "email_taken": _(
        "An account here has this address. Sign in to it first, then link your account at %s."
    ),
    "invalid_token": _("The other site’s answer is not right. Try once more."),
    "no_password": _("Without it you could not come back. Choose a password first."),
    "no_verified_email": _("Without it you could not come back. Confirm an address first."),
    "disconnect_last": _("Without it you could not come back. Choose a password first."),
    "connected_other": _("That account is linked to somebody else here."),
}
