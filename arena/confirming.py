"""Asking for confirmation before a step that cannot be undone.

A view calls `ask_first`; the confirmation is the same form posted again with `sure`. Without
JavaScript the question is a page; `site.js` shows it in a dialog, for buttons with `data-asks`.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# The request header with which a page fetches the question only.
QUESTION_HEADER = "X-Question"


@dataclass(frozen=True)
class Confirmation:
    """A step to be confirmed: its title, its consequence, and the label of its button.

    The button is a warning one unless the step is welcome.
    """

    title: str
    consequence: str
    button: str
    is_welcome: bool = False


def ask_first(request: HttpRequest, step: Confirmation | None, back: str) -> HttpResponse | None:
    """The confirmation page with everything that was posted; None once it is confirmed.

    A `step` of None needs no confirmation. `back` is the path for cancelling. If the page requests
    the question only, the step is not carried out.
    """
    alone = QUESTION_HEADER in request.headers
    if request.POST.get("sure") == "yes":
        return None
    if step is None:
        return HttpResponse(status=204) if alone else None
    posted = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]
    template = "confirming/_question.html" if alone else "confirming/question.html"
    context = {"step": step, "posted": posted, "back": back, "alone": alone}
    return render(request, template, context)
