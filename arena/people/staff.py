"""The admin's site: behind the same sign-in as everything else, with a second factor."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.adapter import get_adapter
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _


class StaffSite(AdminSite):
    """Lets in staff who have a second factor; sign-in, rate limits and codes are allauth's."""

    site_header = "Crowd Arena"
    site_title = "Crowd Arena"

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff with a second factor."""
        return super().has_permission(request) and has_second_factor(request)

    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """allauth's sign-in for visitors; staff without a second factor set one up first."""
        if not has_second_factor(request):
            messages.warning(
                request, _("The admin pages require two-step sign-in. Set it up here.")
            )
            return redirect("mfa_index")
        return super().login(request, extra_context)


def has_second_factor(request: HttpRequest) -> bool:
    """Whether the signed-in user has one. allauth asks for it at every sign-in from then on."""
    return bool(get_adapter().is_mfa_enabled(request.user))
