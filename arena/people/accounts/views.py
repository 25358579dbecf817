"""The page behind the link that a new site prints."""

from allauth.account.adapter import get_adapter
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from arena.errors import ConflictError
from arena.people.accounts.first_account import check_setup_link, create_first_account
from arena.people.accounts.session_secrets import ACCESS_CODE, get_secret, store_access_code
from arena.people.forms import AccountForm
from arena.people.guesses import limit_guesses
from arena.people.limits import Rate

FIRST_ACCOUNT_RATE = Rate(20, 60)


@require_http_methods(["GET", "POST"])
@login_not_required
@never_cache
@limit_guesses("first", FIRST_ACCOUNT_RATE)
def first_account(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a name; the access code is shown next, and then the form of a new event."""
    now = timezone.now()
    if request.user.is_authenticated and get_secret(request.session, ACCESS_CODE, now):
        return redirect("people:code")  # back from that page
    check_setup_link(token)
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user, code = create_first_account(token, form.cleaned_data["username"], now)
        except ConflictError as refusal:
            form.add_error("username", refusal.message)
        else:
            get_adapter(request).login(request, user)
            store_access_code(request.session, user, code, now, onward=reverse("desk:new"))
            return redirect("people:code")
    status = 422 if form.is_bound else 200
    return render(request, "people/first.html", {"form": form}, status=status)
