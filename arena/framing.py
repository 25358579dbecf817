"""Cookies of a site that is shown in a frame of another one (FRAME_ANCESTORS).

Browsers withhold a frame's cookies unless each of them says that it is kept apart for every site
that shows the frame: `Partitioned` (CHIPS), which Python's cookies know from 3.14 on.
"""

from collections.abc import Callable
from http.cookies import Morsel
from typing import Any, cast

from django.http import HttpRequest, HttpResponse

NAME = "partitioned"
cast(Any, Morsel)._reserved.setdefault(NAME, "Partitioned")
cast(Any, Morsel)._flags.add(NAME)


class PartitionedCookieMiddleware:
    """Mark every cookie of a response."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for cookie in response.cookies.values():
            cookie[NAME] = True
        return response
