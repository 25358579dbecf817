"""What allauth says where something cannot be done, in the words of this site."""

from django.utils.translation import gettext_lazy as _

ACCOUNT_MESSAGES = {
    "account_inactive": _("This account is closed."),
    "cannot_remove_primary_email": _(
        "This is your main address. Make another one the main address first."
    ),
    "duplicate_email": _("You have already added this address."),
    "email_password_mismatch": _("Wrong address or password."),
    "username_password_mismatch": _("Wrong name or code."),
    "email_taken": _("This address is already in use."),
    "enter_current_password": _("Enter your current password."),
    "incorrect_code": _("Wrong code."),
    "incorrect_password": _("Wrong code or password."),
    "invalid_or_expired_key": _("This link no longer works."),
    "invalid_login": _("Wrong name or code."),
    "invalid_password_reset": _("This link no longer works."),
    "max_email_addresses": _("You can have %d addresses at most."),
    "rate_limited": _("Too many attempts. Try again later."),
    "same_as_current": _("This is the current value. Choose a different one."),
    "too_many_login_attempts": _("Too many wrong attempts. Try again later."),
    "unknown_email": _("No account has this address."),
    "unverified_primary_email": _("Confirm this address before making it the main one."),
    "username_taken": _("This username is taken. Choose another one."),
    "username_blacklisted": _("This username is taken. Choose another one."),
}
SECOND_STEP_MESSAGES = {
    "add_email_blocked": _("You cannot add an address while two-step sign-in is on."),
    "cannot_delete_authenticator": _("Two-step sign-in cannot be turned off here."),
    "cannot_generate_recovery_codes": _("Set up two-step sign-in to get recovery codes."),
    "incorrect_code": _("Wrong code."),
    "unverified_email": _("Confirm your e-mail addresses first, or remove those you do not use."),
}
SOCIAL_MESSAGES = {
    "email_taken": _(
        "An account here already uses this address. Sign in to it, then link your account at %s."
    ),
    "invalid_token": _("The other site’s response was invalid. Try again."),
    "no_password": _("Without it you could not come back. Choose a password first."),
    "no_verified_email": _("Without it you could not come back. Confirm an address first."),
    "disconnect_last": _("Without it you could not come back. Choose a password first."),
    "connected_other": _("That account is already linked to somebody else."),
}
