"""Run inside the site by `manage.py shell`: its pages, commands and tasks as JSON.

Standard input names paths that were visited; the answer says which pages they are of.
"""

import json
import sys

from celery import current_app
from django.core.management import get_commands
from django.urls import Resolver404, URLPattern, get_resolver, resolve

# Of other people's: Django's, allauth's and those of whoever else is installed.
OURS = ("arena", "leaderboard")


def routes(resolver, before="", space=""):
    """Every page with the route that leads to it."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}" if pattern.name else route, route
        else:
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from routes(pattern, route, inner)


def page_of(path):
    """The name of the page at a path, if there is one."""
    try:
        found = resolve(path)
    except Resolver404:
        return None
    return found.view_name if found.url_name else found.route


asked = json.load(sys.stdin)
current_app.loader.import_default_modules()
answer = {
    "pages": dict(sorted(routes(get_resolver()))),
    "visited": sorted({name for name in map(page_of, asked["paths"]) if name}),
    "commands": sorted(
        name for name, app in get_commands().items() if str(app).split(".")[0] in OURS
    ),
    "tasks": sorted(name for name in current_app.tasks if name.split(".")[0] in OURS),
}
print(json.dumps(answer))  # noqa: T201
