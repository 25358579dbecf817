"""Which of our forms take the place of allauth's, by the names that its settings have."""

FORMS = "arena.people.accounts.forms"
ACCOUNT_FORMS = {
    "login": "arena.people.forms.LoginForm",
    "signup": f"{FORMS}.SignupForm",
    "add_email": f"{FORMS}.AddEmailForm",
    "change_password": f"{FORMS}.ChangePasswordForm",
    "set_password": f"{FORMS}.SetPasswordForm",
    "reset_password": f"{FORMS}.ResetPasswordForm",
    "reset_password_from_key": f"{FORMS}.ResetPasswordKeyForm",
    "reauthenticate": f"{FORMS}.ReauthenticateForm",
    "request_login_code": f"{FORMS}.RequestLoginCodeForm",
    "confirm_login_code": f"{FORMS}.ConfirmLoginCodeForm",
}
MFA_FORMS = {
    "authenticate": f"{FORMS}.AuthenticateForm",
    "reauthenticate": f"{FORMS}.ReauthenticateStepForm",
    "activate_totp": f"{FORMS}.ActivateTotpForm",
}
SOCIALACCOUNT_FORMS = {"signup": f"{FORMS}.SocialSignupForm"}
