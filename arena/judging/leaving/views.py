"""The page for erasing one's account."""

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from arena.errors import ArenaError
from arena.judging.leaving.erasure import erase_contributor
from arena.judging.models import Judgment
from arena.people.models import User


class LeaveForm(forms.Form):
    """Confirms the erasure."""

    sure = forms.BooleanField(label=_("Yes, erase my account. This cannot be undone."))


@require_http_methods(["GET", "POST"])
@never_cache
def leave(request: HttpRequest) -> HttpResponse:
    """Show what is erased and what stays, then erase the account."""
    user, form, error = request.user, LeaveForm(request.POST or None), ""
    assert isinstance(user, User)
    if request.method == "POST" and form.is_valid():
        try:
            erase_contributor(User.objects.get(pk=user.pk), timezone.now())
        except ArenaError as refusal:
            error = refusal.message
        else:
            logout(request)
            messages.success(
                request, gettext("You have left. Your name and everything you wrote are erased.")
            )
            return redirect("home")
    elif request.method == "POST":
        error = gettext("Please tick the box to confirm.")
    judged = Judgment.objects.standing().filter(enrollment__user=user).count()
    context = {"form": form, "error": error, "judged": judged}
    return render(request, "people/leave.html", context, status=422 if error else 200)
