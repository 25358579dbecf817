"""Choosing the name that boards show; which ones are free depends on one's events."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from arena.errors import ArenaError
from arena.events.joining.names import check_name_free
from arena.people.forms import NameForm
from arena.people.limits import limit_requests
from arena.people.models import User
from arena.people.views import CODE_RATE, get_next_url, get_user, show_account


class FreeNameForm(NameForm):
    """A name that nobody has who appears beside this user."""

    def clean_display_name(self) -> str:
        """The name, if it may be shown and is free; what it was before is not judged again."""
        name = super().clean_display_name()
        if "display_name" in self.changed_data:
            try:
                check_name_free(self.instance, name)
            except ArenaError as error:
                raise forms.ValidationError(error.message) from error
        return name


@require_POST
@limit_requests("name", user=CODE_RATE)
def name(request: HttpRequest) -> HttpResponse:
    """Choose or clear the name shown on boards."""
    form = FreeNameForm(request.POST, instance=User.objects.get(pk=get_user(request).pk))
    if form.is_valid():
        form.save()
        return redirect(get_next_url(request) or "people:seat")
    return show_account(request, form, status=422)
