"""The site's addresses, and three pages that no site should have."""

import os
import re
import time

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

from arena.urls import urlpatterns as site_urls


@login_not_required
def spin(_request: HttpRequest) -> HttpResponse:
    """Use the processor for ever, as a rule without an end does."""
    while True:
        sum(range(100))


@login_not_required
def search(_request: HttpRequest) -> HttpResponse:
    """Search for ever, without letting any other thread have its turn."""
    re.match(r"(a+)+$", "a" * 64 + "b")
    return HttpResponse("found")


@login_not_required
def wait(_request: HttpRequest) -> HttpResponse:
    """Take long, and no processor time; say which process it was."""
    time.sleep(1.5)
    return HttpResponse(str(os.getpid()))


urlpatterns = [*site_urls, path("spin/", spin), path("search/", search), path("wait/", wait)]
