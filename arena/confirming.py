"""Asking once before a step that cannot be undone.

A view asks with `ask_first`; the answer comes as the same form with `sure` in it. Without
JavaScript the question is a page; `site.js` shows the same question in a dialog, for buttons that
carry `data-asks`.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# The header by which a page asks for the question alone.
QUESTION_HEADER = "X-Question"


@dataclass(frozen=True)
class Step:
    """What is about to be done: the question, what follows from it, and the button that does it.

    The button warns by its colour unless the step is what everybody has been working towards.
    """

    title: str
    consequence: str
    button: str
    is_welcome: bool = False


def ask_first(request: HttpRequest, step: Step | None, back: str) -> HttpResponse | None:
    """The question before this step, with everything that was posted; None once it is confirmed.

    A step that is None needs no question. `back`: the path for whoever changes their mind. Where
    a page asks for the question alone, nothing else is done.
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
